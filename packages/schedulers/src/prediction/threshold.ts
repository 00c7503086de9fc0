import { refuse, refuseConfig, show } from '../errors.ts'
import type { ThresholdConfig } from './prediction.ts'

/**
 * Dynamic thresholding of a batch as an x₀ hook: each item is clipped to ±s and divided by s, where s is a quantile of
 * its absolute values, at least 1 and at most sampleMaxValue (the maximum wins where it is below 1).
 * @param config ratio in [0, 1] and largest threshold; the solver's own configuration fits
 * @param batch number of items, 1 or more, which lie one after the other
 * @returns a function from x₀, [batch · n], to a new array of that length
 * An item with a NaN is NaN throughout, as its quantile is.
 * @throws {ConfigError} if ratio, maximum or batch is out of its range
 * @throws {SchedulerError} if the length is not a multiple of the batch
 * Source: Imagen, arXiv 2205.11487, section 2.3.
 */
export function dynamicThreshold(
  config: Pick<ThresholdConfig, 'dynamicThresholdingRatio' | 'sampleMaxValue'>,
  batch: number,
): (x0: Float32Array) => Float32Array {
  const { dynamicThresholdingRatio: ratio, sampleMaxValue: most } = config
  if (!(ratio >= 0 && ratio <= 1 && most > 0 && Number.isSafeInteger(batch) && batch > 0)) {
    refuseConfig('dynamicThreshold', 'a ratio from 0 to 1, a maximum above 0 and a whole batch', show([ratio, most, batch]), 'take those of a configuration, and the number of items')
  }
  return (x0) => {
    const size = x0.length / batch
    if (!Number.isInteger(size) || size < 1) {
      refuse('dynamicThreshold', `a multiple of ${batch} values`, String(x0.length), 'give the batch size of x₀')
    }
    const result = x0.slice()
    for (let start = 0; start < x0.length; start += size) {
      const item = result.subarray(start, start + size)
      const magnitude = quantile(item.map(Math.abs), ratio)
      const limit = Math.min(Math.max(magnitude, 1), most)
      for (let i = 0; i < size; i++) item[i] = Math.min(Math.max(item[i]!, -limit), limit) / limit
    }
    return result
  }
}

/** Quantile with linear interpolation between neighbours; sorts in place. */
function quantile(values: Float32Array, ratio: number): number {
  values.sort()
  // Sorted last.
  if (Number.isNaN(values.at(-1))) return Number.NaN
  const position = ratio * (values.length - 1)
  const low = Math.floor(position)
  const high = Math.min(low + 1, values.length - 1)
  return values[low]! + (position - low) * (values[high]! - values[low]!)
}
