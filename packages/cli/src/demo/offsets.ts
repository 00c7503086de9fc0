import { evaluate, stack, type Tensor, tensor, type TensorHost } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import type { UNet2DConditionModel } from '@antipode/models'
import { cosine, norm, offsetOf } from '@antipode/npo'

/** Lengths of η and δ over all weights, and the cosine of the angle between them. */
export interface OffsetGeometry {
  readonly etaNorm: number
  readonly deltaNorm: number
  readonly cosine: number
}

/** Measures the offsets as they act on the weights, `(alpha/rank)·B·A` of every layer. */
export async function measureOffsets(unet: UNet2DConditionModel): Promise<OffsetGeometry> {
  const eta = change(unet, 'eta')
  const delta = change(unet, 'delta')
  using values = stack([norm(eta), norm(delta), cosine(eta, delta)].map((t) => t.reshape([1])))
  const [etaNorm = 0, deltaNorm = 0, angle = 0] = await values.data()
  return { etaNorm, deltaNorm, cosine: angle }
}

/**
 * Adds the adapter `random`: of δ's rank, in a random direction, and as long as δ in every layer. It tells whether the
 * gain of δ is about preference or about any disturbance of the negative branch.
 */
export async function addRandomOffset(device: TensorHost, unet: UNet2DConditionModel, seed: number): Promise<void> {
  const like = unet.adapterParameters('delta')
  const random = new Map<string, Tensor>()
  let stream = 0
  for (const [name, t] of like) random.set(name, tensor(device, philoxNormal(t.size, { seed, stream: stream++ }), t.shape))
  unet.setAdapter('random', random)
  const [wanted, got] = [layerNorms(change(unet, 'delta')), layerNorms(change(unet, 'random'))]
  const ratios = [...wanted].map(([name, w]) => [name, w.div(got.get(name) as Tensor)] as const)
  await evaluate(...ratios.map(([, r]) => r))
  for (const [name, ratio] of ratios) {
    const key = `${name.replace(/\.weight$/, '')}.lora_B.weight`
    const b = random.get(key) as Tensor
    const factor = await ratio.item()
    b.write((await b.data()).map((x) => x * factor))
    ratio.dispose()
  }
}

/** What an adapter changes, by weight. */
function change(unet: UNet2DConditionModel, name: string): Map<string, Tensor> {
  const base = unet.state()
  const merged = unet.merged({ [name]: 1 })
  const touched = [...base].filter(([key, t]) => merged.get(key) !== t)
  return offsetOf(new Map(touched.map(([key, t]) => [key, merged.get(key) ?? t])), new Map(touched))
}

function layerNorms(offset: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...offset].map(([name, t]) => [name, t.square().sum().sqrt()]))
}
