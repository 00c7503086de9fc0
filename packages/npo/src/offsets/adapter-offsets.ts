import { evaluate, stack, type Tensor, tensor } from '@antipode/core'
import { adapterDeltas, adapterParameters, mergedState, type Module, setAdapter } from '@antipode/core/nn'
import { checkOptions, required, text, whole } from '@antipode/core/options'
import { philoxNormal } from '@antipode/core/random'
import { cosine, norm, offsetOf } from './weights.ts'

/** Lengths of η and δ over all weights, and the cosine of the angle between them. */
export interface OffsetGeometry {
  readonly etaNorm: number
  readonly deltaNorm: number
  readonly cosine: number
}

/**
 * What an adapter adds to each weight that it is on, `(alpha/rank)·B·A` for LoRA, in float32 and lazy.
 * @throws {ConfigError} if there is no such adapter
 */
export function adapterOffset(model: Module, name: string): Map<string, Tensor> {
  const base = model.state()
  const merged = mergedState(model, { [name]: 1 })
  const touched = [...base].filter(([key, t]) => merged.get(key) !== t)
  return offsetOf(new Map(touched.map(([key, t]) => [key, merged.get(key) ?? t])), new Map(touched))
}

/**
 * Measures the adapters of two offsets as they act on the weights.
 * @throws {ConfigError} if there is no such adapter @throws {ShapeError} if they are on other layers
 */
export async function measureOffsets(model: Module, adapters: { readonly eta: string; readonly delta: string }): Promise<OffsetGeometry> {
  checkOptions('measureOffsets', adapters, { eta: required(text), delta: required(text) })
  const eta = adapterOffset(model, adapters.eta)
  const delta = adapterOffset(model, adapters.delta)
  using values = stack([norm(eta), norm(delta), cosine(eta, delta)].map((t) => t.reshape([1])))
  const [etaNorm, deltaNorm, angle] = await values.data() as unknown as [number, number, number]
  return { etaNorm, deltaNorm, cosine: angle }
}

/** Options of {@link addRandomAdapter}. */
export interface RandomAdapterOptions {
  /** The adapter whose rank and lengths it has. */
  readonly like: string
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/**
 * Adds an adapter of another's kind and rank, in a random direction, and as long as it in every layer: a control that tells
 * whether the gain of δ is about preference or about any disturbance of the negative branch.
 * @throws {ConfigError} if there is no adapter to be like, or an option is unknown or outside its range
 */
export async function addRandomAdapter(model: Module, name: string, options: RandomAdapterOptions): Promise<void> {
  checkOptions('addRandomAdapter', options, { like: required(text), seed: required(whole(0)) })
  const { like, seed } = options
  const random = new Map<string, Tensor>()
  let stream = 0
  for (const [key, t] of adapterParameters(model, like)) random.set(key, tensor(model.device, philoxNormal(t.size, { seed, stream: stream++ }), t.shape))
  setAdapter(model, name, random)
  const [wanted, got] = [layerNorms(adapterOffset(model, like)), layerNorms(adapterOffset(model, name))]
  const ratios = [...wanted].map(([key, w]) => [key, w.div(got.get(key) as Tensor)] as const)
  await evaluate(...ratios.map(([, r]) => r))
  const deltas = adapterDeltas(model, name)
  for (const [key, ratio] of ratios) {
    // A change of a weight is linear in each of its tensors, and one of a bias is a tensor of its own.
    const { parameters = new Map<string, Tensor>() } = deltas.get(key.replace(/\.?(weight|bias)$/, '')) ?? {}
    const ofWeight = [...parameters].filter(([own]) => own !== 'diff_b').map(([, t]) => t)
    const last = (key.endsWith('bias') ? parameters.get('diff_b') : ofWeight.at(-1)) as Tensor
    const factor = await ratio.item()
    last.write((await last.data()).map((x) => x * factor))
    ratio.dispose()
  }
}

function layerNorms(offset: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...offset].map(([name, t]) => [name, t.square().sum().sqrt()]))
}
