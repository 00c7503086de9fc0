import { tensor, type Tensor } from '@antipode/core'

/**
 * Copies of parameters in f32, for a network that computes in f16 to learn as: updates smaller than 2⁻¹¹ of a weight,
 * which f16 loses, add up in them. `network.withParameters(masters)` computes with what f16 makes of them in each step,
 * and gradients go back to them. They are the caller's to dispose.
 *
 * Source: Micikevicius et al., "Mixed precision training", ICLR 2018, section 3.1.
 * @example
 * const masters = await masterWeights(unet.state())
 * const half = unet.withParameters(masters)
 * for await (const step of train({ parameters: masters, lossScaler: lossScaler(), loss: (batch) => lossOf(half, batch), … }))
 * await unet.load(masters) // rounded to f16 once
 */
export async function masterWeights(parameters: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const masters = new Map<string, Tensor>()
  try {
    for (const [name, t] of parameters) {
      masters.set(name, tensor(t.device, await t.data(), t.shape, { allowNonFinite: true }))
    }
    return masters
  } catch (error) {
    for (const t of masters.values()) t.dispose()
    throw error
  }
}
