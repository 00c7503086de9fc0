import { ConfigError } from '@antipode/core'
import { callable, checkArgument, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import { train } from './train.ts'
import type { TrainOptions } from './train-options.ts'
import type { TrainStep } from './train-step.ts'

/** Options of {@link trainOnline}. */
export interface OnlineOptions<B extends Disposable> extends Omit<TrainOptions<B>, 'batch' | 'release'> {
  /**
   * The batches of a round, sampled with the weights of its beginning. They must depend on those and on the round's
   * number only. It is left once it has given `batches` of them.
   */
  readonly collect: (round: number) => AsyncIterable<B>
  /** Batches of a round, whole, 1 or more. */
  readonly batches: number
  /** How often a round learns from each of them, whole, 1 or more; 1 by default. */
  readonly passes?: number
  /** Of the order of a round's batches, new in each pass: whole, in [0, 2⁵³). */
  readonly seed: number
}

/** What a round's batches and passes come to in steps. */
function stepsOfRound<B extends Disposable>(
  { batches, passes = 1, accumulate = 1, checkpoint }: OnlineOptions<B>,
): number {
  const steps = (batches * passes) / accumulate
  if (!Number.isInteger(steps)) {
    throw new ConfigError(
      `trainOnline: expected rounds of whole steps, got ${batches * passes} batches and accumulate ${accumulate}; ` +
        'choose batches that it divides',
    )
  }
  if (checkpoint && checkpoint.every % steps !== 0) {
    throw new ConfigError(
      `trainOnline: expected checkpoint.every to be whole rounds of ${steps} steps, got ${checkpoint.every}; ` +
        'what a round has sampled is not saved',
    )
  }
  return steps
}

/**
 * Trains in rounds: a model samples batches, learns from them for some steps, and samples again. Everything else is as
 * in {@link train}. A run that is aborted ends with its round, and goes on from there as if it had not been: what a
 * round sampled is made again, to the bit, from the weights of its beginning.
 * @throws {ConfigError} as `train`; if a round is no whole number of steps, or checkpoints fall inside of one; or if
 * `collect` gives fewer batches than `batches`
 */
export async function* trainOnline<B extends Disposable>(
  options: OnlineOptions<B>,
): AsyncGenerator<TrainStep, void, void> {
  const { collect, batches, passes = 1, seed, signal, ...rest } = options
  for (const [name, value] of Object.entries({ batches, passes })) checkArgument('trainOnline', name, value, whole(1))
  checkArgument('trainOnline', 'seed', seed, whole(0))
  checkArgument('trainOnline', 'collect', collect, callable)
  const length = stepsOfRound(options)
  const ending = new AbortController()
  const perRound = batches * passes
  let round = -1
  let held: readonly B[] = []
  let order: readonly number[] = []
  const drop = (): void => {
    for (const one of held) one[Symbol.dispose]()
    held = []
  }
  const batch = async (index: number): Promise<B> => {
    const [now, within] = [Math.floor(index / perRound), index % perRound]
    if (now !== round) {
      drop()
      held = await taken(collect(now), batches)
      round = now
    }
    if (within % batches === 0) order = shuffled(batches, seed, index)
    return held[order[within % batches] as number] as B
  }
  try {
    if (signal?.aborted) ending.abort(signal.reason)
    for await (const step of train<B>({ ...rest, batch, signal: ending.signal })) {
      if (signal?.aborted && (step.step + 1) % length === 0) ending.abort(signal.reason)
      yield step
    }
  } finally {
    drop()
  }
}

/** The first batches of a source, which is left then. */
async function taken<B extends Disposable>(source: AsyncIterable<B>, count: number): Promise<readonly B[]> {
  const made: B[] = []
  try {
    for await (const one of source) {
      made.push(one)
      if (made.length === count) return made
    }
    const got = `${made.length}; sample more, or ask for fewer`
    throw new ConfigError(`trainOnline: expected ${count} batches of a round, got ${got}`)
  } catch (error) {
    for (const one of made) one[Symbol.dispose]()
    throw error
  }
}

/** 0 … n − 1 in an order of its own (Fisher and Yates). */
function shuffled(count: number, seed: number, stream: number): readonly number[] {
  const random = rng(seed, { stream })
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.int(i + 1)
    ;[order[i], order[j]] = [order[j] as number, order[i] as number]
  }
  return order
}
