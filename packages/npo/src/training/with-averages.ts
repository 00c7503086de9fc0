import type { Tensor } from '@antipode/core'
import type { Ema } from '@antipode/core/optim'

/**
 * What `work` makes while parameters hold their averages: samples are drawn and weights saved so. Afterwards, whatever
 * happens, they hold to the bit what they held before, which the host keeps meanwhile.
 *
 * Source: diffusers, training_utils.py, `EMAModel.store`, `copy_to` and `restore`.
 * @throws {ConfigError} before the first update of the average
 */
export async function withAverages<R>(
  parameters: ReadonlyMap<string, Tensor>, ema: Ema, work: () => R | Promise<R>,
): Promise<R> {
  const averages = ema.averages()
  const kept: (readonly [Tensor, ArrayLike<number>])[] = []
  try {
    for (const [name, t] of parameters) {
      const average = averages.get(name)
      if (!average) continue
      kept.push([t, await t.data()])
      t.write(await average.data())
    }
    return await work()
  } finally {
    for (const [t, values] of kept) t.write(values, { allowNonFinite: true })
  }
}
