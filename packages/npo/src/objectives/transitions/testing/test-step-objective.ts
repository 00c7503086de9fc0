import { constant, stopGradient, Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { ddim, flowMatchSde, type Scheduler } from '@antipode/schedulers'
import { describe } from 'vitest'
import type { Denoiser } from '../../../denoiser.ts'
import { stepCoefficients, stepLevels, stepLogProb, stepMean, type Transitions } from '../../../transitions/index.ts'
import type { ReferredNetworks } from '../../index.ts'
import { type Subject, testInvariants, type Variation } from '../../testing/invariants.ts'

type Sampler = 'steps of DDIM' | 'steps of a flow'
const samplers: Readonly<Record<Sampler, Scheduler>> = {
  'steps of DDIM': ddim({
    betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, eta: 1, clipSample: false, setAlphaToOne: false,
  }),
  'steps of a flow': flowMatchSde(),
}

/** What batches of steps that three runs took are made from. */
export interface StepMaterial {
  /** Where three runs stood: other samples each time, at the same levels. */
  readonly begin: () => Omit<Transitions, 'next'>
  /** Steps from there that the frozen network took. */
  readonly step: (begun: Omit<Transitions, 'next'>) => Transitions
  /** Their log-probabilities under it, `[3]`. */
  readonly logProbs: (steps: Transitions) => Tensor
  readonly condition: Tensor
  /** One number for each of the three. */
  readonly each: (...values: readonly [number, number, number]) => Tensor
}

/** An objective on steps, and what it is held to. */
export interface StepSubject<Batch extends object>
  extends Pick<Subject<Sampler, Batch, ReferredNetworks<Tensor>>, 'objective' | 'opposite' | 'start' | 'refused'> {
  readonly batch: (material: StepMaterial) => Batch
  /** Whether the frozen network is one of the objective's own; true by default. */
  readonly referred?: boolean
  /** Tensors of a batch that the objective does not read, by the ends of their names. */
  readonly unread: readonly string[]
}

/** Numbers of about 1 that have no order. */
function wave(seed: number, length: number): number[] {
  return Array.from({ length }, (_, i) => 1.2 * Math.sin(7 * seed + 3.7 * i * i + 1))
}

/** A frozen network and one that has moved a little, `tanh(a·x + b·t/1000 + c)`, and the material. */
function bench(scheduler: Scheduler, { alike = false, narrow = false }: Variation) {
  const host = new FakeHost()
  let seed = 0
  const leaf = (): Tensor => tensor(host, wave(++seed, 12), [3, 4])
  const network = (by: number) => {
    const parameters = [wave(100, 4), wave(101, 4)].map((values, k) =>
      tensor(host, values.map((v, i) => v + by * Math.sin(5 * k + i + 1))))
    const [a, b] = parameters as [Tensor, Tensor]
    const whole: Denoiser<Tensor> = (x, t, c) => x.mul(a).add(t.div(1000).unsqueeze(1).mul(b)).add(c).tanh()
    return { parameters, whole, denoise: narrow ? ((x, t, c) => whole(x, t, c).slice(1, 0, 1)) as typeof whole : whole }
  }
  const [own, frozen] = [network(alike ? 0 : 0.02), network(0)]
  const begun = scheduler.begin(10)
  const levels = stepLevels(host, [1, 4, 7].map((step) => stepCoefficients(scheduler, { ...begun, step })), 2)
  const condition = leaf()
  const meanOf = (at: Omit<Transitions, 'next'>): Tensor =>
    stepMean(frozen.whole(at.sample.mul(at.input), at.timesteps, condition), at)
  const evaluated = (t: Tensor): Tensor => tensor(host, interpret([t])[0]!, t.shape)
  const material: StepMaterial = {
    condition, each: (...values) => constant(host, values), begin: () => ({ ...levels, sample: leaf() }),
    step: (at) => ({ ...at, next: evaluated(meanOf(at).add(leaf().mul(at.deviation))) }),
    // Not in f32, so that ratios are 1.
    logProbs: (steps) => stopGradient(stepLogProb(meanOf(steps), steps)),
  }
  return { own, frozen, material }
}

/** Tensors of a batch with their names, those of its parts too. */
function tensorsOf(batch: object, prefix = ''): [string, Tensor][] {
  return Object.entries(batch).flatMap(([key, value]: [string, object]) =>
    (value instanceof Tensor ? [[prefix + key, value] as [string, Tensor]] : tensorsOf(value, `${prefix}${key}.`)))
}

/** Holds an objective on the steps of runs to what all must keep ({@link testInvariants}), by two samplers. */
export function testStepObjective<Batch extends object>(
  name: string, { batch: batchOf, referred = true, unread, ...rest }: StepSubject<Batch>,
): void {
  describe(name, () => {
    testInvariants({
      ...rest, kinds: Object.keys(samplers) as [Sampler, Sampler],
      setting: (sampler, variation = {}) => {
        const { own, frozen, material } = bench(samplers[sampler], variation)
        return {
          batch: batchOf(material), networks: { model: own.denoise, reference: frozen.denoise }, trained: own.parameters,
          frozen: referred ? frozen.parameters : [],
        }
      },
      read: (batch) => tensorsOf(batch).filter(([key]) => !unread.some((end) => key.endsWith(end))),
    })
  })
}
