import { type DType, isFloat, sameShape, shapeText } from '@antipode/kernels-wgsl'
import { CheckpointError, ConfigError } from '../errors.ts'
import { Tensor, type TensorHost } from '../graph/index.ts'
import { checkOptions, flag } from '../options/index.ts'
import {
  type Adaptable, type AdapterAlpha, type AdapterOptions, addLowRank, alphas, checkAdapters, lowRankAlphas, lowRankPairs, lowRankTensors, mergedWeight, removeLowRank, setLowRank, type Shaped,
} from './adapters.ts'
import { type Checkpoint, checkFit, isMap, readAll, some, stateOf } from './state/index.ts'

/** Weights of adapters by name, finite numbers of either sign; an adapter that is not named is off. */
export type AdapterWeights = Readonly<Record<string, number>>

/**
 * A layer or model: a plain object whose own tensors are its parameters, whose own modules are its children, and whose
 * arrays of either (gaps allowed) are indexed children. Parameters are named as checkpoints name them: property names in
 * snake case joined by dots, `this.downBlocks[0].conv1.weight` -> `down_blocks.0.conv1.weight`.
 *
 * Copies made by `with` and `withParameters` share every tensor that they do not replace. Subclasses keep no `#private`
 * fields, since a copy could not carry them.
 */
export abstract class Module implements Disposable {
  /** Every parameter with its name, in the order in which the properties were defined; adapters are none. */
  *namedParameters(prefix = ''): Generator<[name: string, parameter: Tensor]> {
    for (const [name, value] of members(this)) {
      if (value instanceof Tensor) yield [prefix + name, value]
      else yield* value.namedParameters(`${prefix}${name}.`)
    }
  }

  /** Every module below this one with its name, this one first under the name ''. */
  *namedModules(prefix = ''): Generator<[name: string, module: Module]> {
    yield [prefix, this]
    for (const [name, value] of members(this)) {
      if (value instanceof Module) yield* value.namedModules(prefix === '' ? name : `${prefix}.${name}`)
    }
  }

  parameters(): Tensor[] {
    return [...this.namedParameters()].map(([, t]) => t)
  }

  /** Parameters by name. */
  state(): Map<string, Tensor> {
    return new Map(this.namedParameters())
  }

  /** The device the parameters live on. @throws {ConfigError} if there are none */
  get device(): TensorHost {
    for (const [, t] of this.namedParameters()) return t.device
    throw new ConfigError('Module: expected at least one parameter to tell the device by, got none')
  }

  /** The element type it computes in: that of its first parameter of real numbers. @throws {ConfigError} if there is none */
  get dtype(): DType {
    for (const [, { dtype }] of this.namedParameters()) if (isFloat(dtype) || dtype === 'bf16') return dtype
    throw new ConfigError('Module: expected at least one parameter of real numbers to tell the element type by, got none')
  }

  /** Number of scalars in all parameters. */
  get parameterCount(): number {
    return this.parameters().reduce((n, t) => n + t.size, 0)
  }

  /**
   * Replaces the parameters by those of a checkpoint, each converted to the dtype the module has, and frees the old ones.
   * Tensors of a map belong to the module from then on. Load before making optimisers or copies: both hold the old tensors.
   * Where anything fails, the module is as it was, and what had been read is freed.
   *
   * @param options.strict whether names that are missing or unexpected are errors, true by default; shapes always are, and so
   * is a checkpoint none of whose names is the model's
   * @throws {CheckpointError} that lists the names in question, before anything is read: missing, unexpected, of another shape,
   * or of a dtype that cannot be read in the parameter's; or that names one whose numbers that dtype does not hold
   * @throws {ConfigError} on an unknown option
   */
  async load(checkpoint: Checkpoint, options: { readonly strict?: boolean } = {}): Promise<void> {
    checkOptions('load', options, { strict: flag })
    const own = this.state()
    const source = stateOf(checkpoint)
    checkFit(own, source, options.strict ?? true)
    const wanted = new Map([...own].filter(([name]) => source.info(name)).map(([name, { dtype }]) => [name, dtype]))
    const values = await readAll(source, wanted, this.device)
    replace(this, '', (name, old) => {
      const value = values.get(name)
      if (value) old.dispose()
      return value ?? old
    })
    if (isMap(checkpoint)) for (const t of checkpoint.values()) t.dispose()
  }

  /**
   * A copy that shares everything but these parameters, which it uses in the dtype of those they stand for.
   * Give it evaluated tensors: a lazy one is computed again with every graph that reads it.
   * @throws {CheckpointError} if a name or shape is not one of the model's
   */
  withParameters(parameters: ReadonlyMap<string, Tensor>): this {
    const own = this.state()
    const wrong = [...parameters].filter(([name, t]) => !sameShape(own.get(name)?.shape ?? [-1], t.shape)).map(([name, t]) => `${name} ${shapeText(t.shape)}`)
    if (wrong.length > 0) throw new CheckpointError(`withParameters: expected names and shapes of the model, got ${some(wrong)}`)
    const copied = copy(this)
    replace(copied, '', (name, old) => parameters.get(name)?.to(old.dtype) ?? old)
    return copied
  }

  /**
   * Puts a low-rank adapter on every linear and convolution layer that `targets` matches. It is off until `with` turns it on.
   * @throws {ConfigError} if the name is taken, nothing matches, or an option is unknown or out of its range
   */
  addAdapter(name: string, options: AdapterOptions): void {
    addLowRank(layersOf(this), name, options)
  }

  /** Tensors of an adapter by their PEFT names, for an optimiser or a file. @throws {ConfigError} if there is no such adapter */
  adapterParameters(name: string): Map<string, Tensor> {
    checkAdapters('adapterParameters', layersOf(this), { [name]: 1 })
    return lowRankTensors(layersOf(this), name)
  }

  /** Alpha of each layer that has the adapter, by the layer's name. @throws {ConfigError} if there is no such adapter */
  adapterAlphas(name: string): Map<string, number> {
    checkAdapters('adapterAlphas', layersOf(this), { [name]: 1 })
    return lowRankAlphas(layersOf(this), name)
  }

  /**
   * Checks that tensors of these names and shapes would fit as an adapter, such as those that a file's header tells of.
   * @throws {CheckpointError} that says which layers fit and which names and shapes do not
   */
  checkAdapter(name: string, tensors: ReadonlyMap<string, Shaped>): void {
    lowRankPairs(layersOf(this), name, tensors)
  }

  /**
   * Puts trained tensors on as an adapter, replacing one of that name; the model owns them from then on.
   * @param options.alpha strength at weight 1 is alpha / rank: one finite number, or one for each layer by its name; the rank
   * of each pair by default
   * @throws {CheckpointError} if names or shapes do not fit @throws {ConfigError} if alpha does not
   */
  setAdapter(name: string, tensors: ReadonlyMap<string, Tensor>, options: { readonly alpha?: AdapterAlpha } = {}): void {
    checkOptions('setAdapter', options, { alpha: alphas })
    setLowRank(layersOf(this), name, tensors, options.alpha)
  }

  /** Takes an adapter off this model and all its copies, and frees it. @throws {ConfigError} if there is no such adapter */
  removeAdapter(name: string): void {
    checkAdapters('removeAdapter', layersOf(this), { [name]: 1 })
    removeLowRank(layersOf(this), name)
  }

  /** Names of the adapters, on or off. */
  get adapterNames(): string[] {
    return [...new Set(layersOf(this).flatMap(([, layer]) => [...layer.adapters.keys()]))]
  }

  /**
   * A copy whose layers add `Σ w·(alpha/rank)·B·A·x` of the named adapters; all others are off. The weights are run-time
   * numbers: changing them recompiles nothing. @throws {ConfigError} if there is no such adapter, or a weight is not finite
   */
  with(weights: AdapterWeights): this {
    checkAdapters('with', layersOf(this), weights)
    const copied = copy(this)
    for (const [, layer] of layersOf(copied)) layer.active = new Map(Object.entries(weights))
    return copied
  }

  /**
   * All parameters by name with adapters folded in: `W + Σ w·(alpha/rank)·B·A`, in float32 and lazy where one applies, the
   * model's own tensors elsewhere. @throws {ConfigError} if there is no such adapter, or a weight is not finite
   */
  merged(weights: AdapterWeights): Map<string, Tensor> {
    checkAdapters('merged', layersOf(this), weights)
    const out = this.state()
    for (const [name, layer] of layersOf(this)) {
      const weight = mergedWeight(layer, weights)
      if (weight) out.set(name === '' ? 'weight' : `${name}.weight`, weight)
    }
    return out
  }

  /** Frees parameters and adapters, also under every copy that shares them. */
  dispose(): void {
    for (const t of this.parameters()) t.dispose()
    for (const name of this.adapterNames) this.removeAdapter(name)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** `timeEmbProj` -> `time_emb_proj`; digits stay attached, and names that have an underscore stay as they are. */
function snakeCase(name: string): string {
  return name.includes('_') ? name : name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
}

function* members(module: Module): Generator<[name: string, value: Tensor | Module]> {
  const isMember = (x: unknown): x is Tensor | Module => x instanceof Tensor || x instanceof Module
  for (const [key, value] of Object.entries(module)) {
    if (isMember(value)) yield [snakeCase(key), value]
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) if (isMember(item)) yield [`${snakeCase(key)}.${i}`, item]
  }
}

function layersOf(module: Module): [string, Module & Adaptable][] {
  return [...module.namedModules()].filter((entry): entry is [string, Module & Adaptable] => 'adapters' in entry[1])
}

/** A copy of the tree of modules; tensors and everything else are shared. */
function copy<M extends Module>(module: M): M {
  return copyWith(module, copy)
}

/** A copy of a module whose parts are what `f` gives for them, by their names in it; all else is shared. */
export function copyWith<M extends Module>(module: M, f: (part: Module, key: string) => Module): M {
  const copied = (value: unknown, key: string): unknown =>
    value instanceof Module ? f(value, key) : Array.isArray(value) ? value.map((item, i) => copied(item, `${key}.${i}`)) : value
  const fields = Object.fromEntries(Object.entries(module).map(([key, value]) => [key, copied(value, snakeCase(key))]))
  return Object.assign(Object.create(Object.getPrototypeOf(module) as object) as M, fields)
}

/** Replaces every parameter of the tree by what `next` gives for it. */
function replace(module: Module, prefix: string, next: (name: string, old: Tensor) => Tensor): void {
  const visit = (owner: Record<string, unknown>, key: string, name: string): void => {
    const value = owner[key]
    if (value instanceof Tensor) owner[key] = next(name, value)
    else if (value instanceof Module) replace(value, `${name}.`, next)
    else if (Array.isArray(value)) for (const i of value.keys()) visit(value as never, `${i}`, `${name}.${i}`)
  }
  for (const key of Object.keys(module)) visit(module as never, key, prefix + snakeCase(key))
}
