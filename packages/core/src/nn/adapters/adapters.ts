import { CheckpointError, ConfigError } from '../../errors.ts'
import type { Tensor } from '../../graph/index.ts'
import { checkArgument, checkOptions, finite, type Range, text } from '../../options/index.ts'
import { type AdapterWeights, checkAdapters, type Module, weightsAt } from '../module.ts'
import { some } from '../state/index.ts'
import { Adaptable, type Change, changedBias, changedWeight } from './adaptable.ts'
import { AdaptableLayer } from './adaptable-layer.ts'
import { fullDeltaKind } from './full-delta.ts'
import { lowRankKind } from './low-rank.ts'
import type { AdapterMaker, DeltaKind, WeightDelta } from './weight-delta.ts'

/** Every way to change a weight that tensors can be set as. */
const kinds: readonly DeltaKind[] = [lowRankKind, fullDeltaKind]

/** One alpha for all layers of an adapter, or one for each by its name; a layer without one has its rank. */
export type AdapterAlpha = number | ReadonlyMap<string, number>

const alphas: Range = {
  expected: 'a finite number, or a Map of such by the names of layers',
  accepts: (v) => finite.accepts(v) || v instanceof Map && [...v.values()].every((one) => finite.accepts(one)),
}

/** Anything that has a shape: a tensor, or what a file's header says of one. */
export interface Shaped {
  readonly shape: readonly number[]
}

/** The layers of a model that can carry changes, by their names. */
function adaptables(model: Module): Map<string, Adaptable> {
  return new Map([...model.namedModules()].flatMap(([name, module]) => (
    module instanceof Adaptable ? [[name, module] as const] : []
  )))
}

const behind = (layer: string, name: string): string => (layer === '' ? name : `${layer}.${name}`)

/**
 * Puts an adapter on the layers of a model that its targets match: {@link lora}, {@link fullDelta}. It is off until
 * `with` turns it on.
 * @throws {ConfigError} if the name is taken, or nothing matches
 * @example
 * addAdapter(unet, 'dpo', lora({ rank: 8, targets: /attentions/ }))
 */
export function addAdapter(model: Module, name: string, { targets, begin }: AdapterMaker): void {
  checkArgument('addAdapter', 'the name', name, text)
  const matches = typeof targets === 'function' ? targets : (layer: string) => layer.search(targets) >= 0
  const chosen = [...adaptables(model)].flatMap(([layer, module]) => (
    module instanceof AdaptableLayer && matches(layer) ? [module] : []
  ))
  const [first] = chosen
  if (!first) {
    throw new ConfigError(
      `addAdapter: expected targets that match a linear or convolution layer, got none for "${name}"`,
    )
  }
  if (chosen.some(({ adapters }) => adapters.has(name))) {
    throw new ConfigError(`addAdapter: expected a new name, got "${name}" twice; remove the adapter first`)
  }
  const make = begin(first.device)
  for (const layer of chosen) layer.adapters.set(name, make(layer))
}

/**
 * The change that an adapter is to each layer that it is on, by the layer's name. @throws {ConfigError} if there is no
 * such adapter
 */
export function adapterDeltas(model: Module, name: string): Map<string, WeightDelta> {
  checkAdapters('adapterDeltas', model, { [name]: 1 })
  return deltasOf(model, name)
}

function deltasOf(model: Module, name: string): Map<string, WeightDelta> {
  return new Map([...adaptables(model)].flatMap(([layer, { adapters }]) => {
    const delta = adapters.get(name)
    return delta ? [[layer, delta] as const] : []
  }))
}

/**
 * Tensors of an adapter by name, for an optimiser or a file: `<layer>.lora_A.weight` and `<layer>.lora_B.weight`, as
 * PEFT has them, or `<layer>.diff` and `<layer>.diff_b`. @throws {ConfigError} if there is no such adapter
 */
export function adapterParameters(model: Module, name: string): Map<string, Tensor> {
  checkAdapters('adapterParameters', model, { [name]: 1 })
  return new Map([...deltasOf(model, name)].flatMap(([layer, { parameters }]) => (
    Array.from(parameters, ([key, t]) => [behind(layer, key), t] as const)
  )))
}

/**
 * Alpha of each layer on which the adapter has one, by the layer's name. @throws {ConfigError} if there is no such
 * adapter
 */
export function adapterAlphas(model: Module, name: string): Map<string, number> {
  checkAdapters('adapterAlphas', model, { [name]: 1 })
  return new Map([...deltasOf(model, name)].flatMap(([layer, { alpha }]) => (
    alpha === undefined ? [] : [[layer, alpha] as const]
  )))
}

/** The tensors that are a change of one layer. */
interface Fitted<T> {
  readonly layer: Adaptable
  readonly kind: DeltaKind
  /** In the order of the kind's names. */
  readonly parts: readonly (T | undefined)[]
}

/**
 * Checks that tensors of these names and shapes would fit as an adapter, such as those that a file's header tells of.
 * @returns the layers that they are for
 * @throws {CheckpointError} that counts the layers that fit, and lists names which fit no layer, lack another or have
 * another shape
 */
export function checkAdapter<T extends Shaped>(
  model: Module,
  name: string,
  tensors: ReadonlyMap<string, T>,
): Map<string, Fitted<T>> {
  const left = new Set(tensors.keys())
  const wrong: string[] = []
  const fitted = new Map<string, Fitted<T>>()
  for (const [prefix, layer] of adaptables(model)) {
    for (const kind of kinds) {
      if (kind.ofProducts && !(layer instanceof AdaptableLayer)) continue
      const keys = kind.names.map((key) => behind(prefix, key))
      const parts = keys.map((key) => tensors.get(key))
      for (const key of keys) left.delete(key)
      if (!parts.some(Boolean)) continue
      const shapes = kind.shapes(layer, parts.map((part) => part?.shape))
      if (!fitted.has(prefix) && parts.every((part, k) => `${part?.shape}` === `${shapes[k]}`)) {
        fitted.set(prefix, { layer, kind, parts })
      } else {
        const told = kind.names.map((key, k) => ({ key, shape: shapes[k], part: parts[k] }))
          .filter(({ shape, part }) => shape ?? part)
        const expected = told.map(({ key, shape }) => (shape ? `${key} [${shape}]` : `no ${key}`)).join(' and ')
        const got = told.map(({ part }) => (part ? `[${part.shape}]` : 'none')).join(' and ')
        wrong.push(`${prefix} (expected ${expected}, got ${got})`)
      }
    }
  }
  if (left.size === 0 && wrong.length === 0 && fitted.size > 0) return fitted
  const parts = [
    `${fitted.size} layers fit`,
    left.size > 0 ? `no layer for ${some([...left])}` : '',
    wrong.length > 0 ? `misfits: ${some(wrong)}` : '',
  ].filter(Boolean)
  throw new CheckpointError(
    `setAdapter: "${name}": expected names and shapes of this model, like <layer>.lora_A.weight; ` +
      `${parts.join('; ')}`,
  )
}

/**
 * Puts trained tensors on a model as an adapter, replacing one of that name; the model owns them from then on.
 * @param options.alpha strength of low-rank pairs at weight 1 is alpha / rank: one finite number, or one for each layer
 * by its name; the rank of each pair by default
 * @throws {CheckpointError} as {@link checkAdapter} @throws {ConfigError} if an alpha is for a layer that has no change
 */
export function setAdapter(
  model: Module,
  name: string,
  tensors: ReadonlyMap<string, Tensor>,
  options: { readonly alpha?: AdapterAlpha } = {},
): void {
  checkOptions('setAdapter', options, { alpha: alphas })
  checkArgument('setAdapter', 'the name', name, text)
  const { alpha } = options
  const fitted = checkAdapter(model, name, tensors)
  const each = typeof alpha === 'object' ? alpha : new Map<string, number>()
  const strangers = [...each.keys()].filter((layer) => !fitted.has(layer))
  if (strangers.length > 0) {
    throw new ConfigError(
      `setAdapter: "${name}": expected an alpha for layers that have a pair, got one for ${some(strangers)}`,
    )
  }
  takeOff(model, name, new Set(tensors.values()))
  for (const [prefix, { layer, kind, parts }] of fitted) {
    layer.adapters.set(name, kind.of(parts, typeof alpha === 'number' ? alpha : each.get(prefix)))
  }
}

/** Takes an adapter off a model and all its copies, and frees it. @throws {ConfigError} if there is no such adapter */
export function removeAdapter(model: Module, name: string): void {
  checkAdapters('removeAdapter', model, { [name]: 1 })
  takeOff(model, name)
}

/** Frees the tensors of an adapter but for those to be kept. */
function takeOff(model: Module, name: string, kept: ReadonlySet<Tensor> = new Set()): void {
  for (const { parameters } of deltasOf(model, name).values()) {
    for (const t of parameters.values()) if (!kept.has(t)) t.dispose()
  }
  for (const { adapters } of adaptables(model).values()) adapters.delete(name)
}

/**
 * All parameters of a model by name with adapters folded in: `W + Σ w·Δ`, in float32 and lazy where one applies, the
 * model's own tensors elsewhere. @throws {ConfigError} if there is no such adapter, a weight is not finite, or a layer
 * keeps its own in another form
 */
export function mergedState(model: Module, weights: AdapterWeights): Map<string, Tensor> {
  checkAdapters('mergedState', model, weights)
  const out = model.state()
  for (const [name, layer] of adaptables(model)) {
    const changes = [...weightsAt('mergedState', weights, name)].flatMap(([adapter, w]): Change[] => {
      const delta = layer.adapters.get(adapter)
      return delta ? [[delta, w]] : []
    })
    if (changes.length === 0) continue
    const weight = behind(name, 'weight')
    if (!out.has(weight)) {
      throw new ConfigError(
        `mergedState: expected layers that keep their weight as it is, got "${name}", which does not; merge first`,
      )
    }
    out.set(weight, changedWeight(layer, changes))
    const bias = changedBias(layer, changes)
    if (bias) out.set(behind(name, 'bias'), bias)
  }
  return out
}
