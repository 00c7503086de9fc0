import { ConfigError, constant, evaluate, Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, listOf, type Range, required, whole } from '@antipode/core/options'
import type { Schedule } from '@antipode/schedulers'
import type { Condition } from '../denoiser.ts'
import type { PairBatch } from '../objectives/index.ts'
import { drawNoise, type ForwardProcess, type LossWeight } from '../process/index.ts'
import { BatchOrder } from './batch-order.ts'
import type { BatchMaker } from './batches-of.ts'
import type { RankedPair } from './ranked-pairs.ts'
import { rowsOf } from './rows.ts'

/** Options of {@link storedPairs}. */
export interface StoredPairsOptions<C extends Condition, Each extends string> {
  /** All samples, `[N, ...]`, which stay the caller's. */
  readonly samples: Tensor
  /** Which of them are pairs: of {@link judgedPairs}, {@link bestOfN}, {@link paretoPairs}, or your own. */
  readonly pairs: readonly RankedPair[]
  /** The condition of some pairs, by their places among `pairs`. */
  readonly condition: (places: readonly number[]) => C
  /** Numbers that an objective wants of each pair, by the name it has for them: `probability`, `chosenReward`. */
  readonly each?: Readonly<Record<Each, ArrayLike<number>>>
  /** What the model is trained by: see {@link drawNoise}. */
  readonly process: Schedule | ForwardProcess
  /** Weights of errors by noise level. */
  readonly weight?: LossWeight
  /** Pairs of a batch, whole, 1 to 1,024. */
  readonly size: number
  /** Of order, timesteps and noise, whole, in [0, 2⁵³). */
  readonly seed: number
}

const aTensor: Range = { expected: 'a Tensor', accepts: (v) => v instanceof Tensor }

/**
 * Batches of pairs that are there before training: offline preference optimisation with any objective on pairs,
 * `train({ …, ...storedPairs({ … }) })`. Every pair comes once an epoch, in an order of its own each time; the last batch
 * of an epoch is filled up with its first pairs.
 * @throws {ConfigError} if an option is unknown or outside its range, there are no pairs, or a pair or its numbers are
 * missing
 */
export function storedPairs<C extends Condition, Each extends string = never>(
  options: StoredPairsOptions<C, Each>,
): BatchMaker<PairBatch<C> & Readonly<Record<Each, Tensor>>> {
  checkOptions('storedPairs', options, {
    samples: required(aTensor), pairs: required(listOf(anObject('a pair of places'))), condition: required(callable),
    each: anObject('numbers by name'), process: required(anObject('a schedule or process')), weight: callable,
    size: required(whole(1, 1024)), seed: required(whole(0)),
  })
  const { samples, pairs, condition, process, weight, size, seed } = options
  const each = Object.entries<ArrayLike<number>>(options.each ?? {})
  checkPairs(samples, pairs, each)
  const { device } = samples
  const order = new BatchOrder([{ places: pairs.map((_, i) => i) }], size, seed)
  return {
    async batch(step) {
      const places = order.batch(step)
      const chosen = rowsOf(samples, places.map((i) => pairs[i]!.chosen))
      const rejected = rowsOf(samples, places.map((i) => pairs[i]!.rejected))
      await evaluate(chosen, rejected)
      const numbers = each.map(([name, values]) => [name, constant(device, places.map((i) => values[i]!))])
      return {
        ...drawNoise(device, process, chosen.shape, { seed, step, ...(weight ? { weight } : {}) }), chosen, rejected,
        condition: condition(places), ...Object.fromEntries(numbers) as Readonly<Record<Each, Tensor>>,
      }
    },
    release({ chosen, rejected }) {
      chosen.dispose()
      rejected.dispose()
    },
  }
}

function checkPairs(
  samples: Tensor, pairs: readonly RankedPair[], each: readonly (readonly [string, ArrayLike<number>])[],
): void {
  const place = whole(0, (samples.shape[0] ?? 0) - 1)
  const odd = pairs.findIndex(({ chosen, rejected }) => !place.accepts(chosen) || !place.accepts(rejected))
  if (pairs.length === 0 || odd >= 0) {
    const got = pairs.length === 0 ? 'no pairs' : `${JSON.stringify(pairs[odd])} for pair ${odd}`
    throw new ConfigError(`storedPairs: expected pairs of places among ${samples.shape[0] ?? 0} samples, got ${got}`)
  }
  for (const [name, { length }] of each) {
    if (length === pairs.length) continue
    throw new ConfigError(`storedPairs: expected ${pairs.length} numbers of ${name}, one a pair, got ${length}`)
  }
}
