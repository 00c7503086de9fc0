import { evaluate, type Tensor } from '@antipode/core'
import { mapState, type SchedulerState, tensorsOf } from '@antipode/schedulers'
import type { GuidanceState } from '../guidance/index.ts'

/**
 * Where a run stands between two calls: all that the next one needs. Plain data and tensors, never changed in place.
 */
export interface SampleState {
  /** What the next call takes, `[B, ...]`; the result at the end of a run. */
  readonly sample: Tensor
  readonly solver: SchedulerState<Tensor>
  readonly guidance: GuidanceState
  /** Of the stream of fresh noise, if the run has one. */
  readonly stream: unknown
}

/** The tensors that a state holds, each once. */
export function heldBy({ sample, solver, guidance }: SampleState): Tensor[] {
  return [...new Set([sample, ...tensorsOf(solver), ...Object.values(guidance)])]
}

/** A state that owns its tensors. */
export interface KeptState extends SampleState, Disposable {}

/** A copy of a run's state that outlives the run: to go on from it later, more than once if need be. Dispose it. */
export async function keepState(state: SampleState): Promise<KeptState> {
  const copies = new Map(heldBy(state).map((t) => [t, t.mul(1)]))
  const copyOf = (t: Tensor): Tensor => copies.get(t) as Tensor // every tensor of the state is there
  await evaluate(...copies.values())
  return {
    sample: copyOf(state.sample),
    solver: mapState(state.solver, copyOf),
    guidance: Object.fromEntries(Object.entries(state.guidance).map(([name, t]) => [name, copyOf(t)])),
    stream: state.stream,
    [Symbol.dispose]: () => { for (const t of copies.values()) t.dispose() },
  }
}
