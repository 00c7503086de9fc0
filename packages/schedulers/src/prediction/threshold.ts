import { refuse } from '../errors.ts'
import type { ThresholdConfig } from './prediction.ts'

/**
 * Dynamic thresholding of a batch as an x₀ hook: each item is clipped to ±s and divided by s, where s is a quantile of
 * its absolute values, at least 1 and at most sampleMaxValue (the maximum wins where it is below 1).
 * @param config ratio in [0, 1] and largest threshold; the solver's own configuration fits
 * @param batch number of items, which lie one after the other
 * @returns a function from x₀, [batch · n], to a new array of that length
 * @throws {SchedulerError} if the length is not a multiple of the batch
 * Source: Imagen, arXiv 2205.11487, section 2.3.
 */
export function dynamicThreshold(
  config: Pick<ThresholdConfig, 'dynamicThresholdingRatio' | 'sampleMaxValue'>,
  batch: number,
): (x0: Float32Array) => Float32Array {
  return (x0) => {
    const size = x0.length / batch
    if (!Number.isInteger(size) || size < 1) {
      refuse('dynamicThreshold', `a multiple of ${batch} values`, String(x0.length), 'give the batch size of x₀')
    }
    const result = x0.slice()
    for (let start = 0; start < x0.length; start += size) {
      const item = result.subarray(start, start + size)
      const magnitude = quantile(item.map(Math.abs), config.dynamicThresholdingRatio)
      const limit = Math.min(Math.max(magnitude, 1), config.sampleMaxValue)
      for (let i = 0; i < size; i++) item[i] = Math.min(Math.max(item[i]!, -limit), limit) / limit
    }
    return result
  }
}

/** Quantile with linear interpolation between neighbours; sorts in place. */
function quantile(values: Float32Array, ratio: number): number {
  values.sort()
  const position = ratio * (values.length - 1)
  const low = Math.floor(position)
  const high = Math.min(low + 1, values.length - 1)
  return values[low]! + (position - low) * (values[high]! - values[low]!)
}
