import { type DType, inBlocks, isFloat, sameShape, shapeText } from '@antipode/kernels-wgsl'
import { CheckpointError, ConfigError } from '../errors.ts'
import { Tensor, type Backend } from '../graph/index.ts'
import { checkArgument, checkOptions, finite, flag } from '../options/index.ts'
import { type Checkpoint, checkFit, isMap, readAll, some, stateOf, typeRead } from './state/index.ts'

/** The weight of an adapter, a finite number of either sign: one for all layers, or one for each by its name. */
export type AdapterWeight = number | ((layer: string) => number)

/** Weights of adapters by name; an adapter that is not named is off. */
export type AdapterWeights = Readonly<Record<string, AdapterWeight>>

/**
 * A layer or model: a plain object whose own tensors are its parameters, whose own modules are its children, and whose
 * arrays of either (gaps allowed) are indexed children. Parameters are named as checkpoints name them: property names
 * in snake case joined by dots, `this.downBlocks[0].conv1.weight` -> `down_blocks.0.conv1.weight`.
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
  get device(): Backend {
    for (const [, t] of this.namedParameters()) return t.device
    throw new ConfigError('Module: expected at least one parameter to tell the device by, got none')
  }

  /**
   * The element type it computes in: that of its first parameter of real numbers. @throws {ConfigError} if there is
   * none
   */
  get dtype(): DType {
    for (const [, { dtype }] of this.namedParameters()) if (isFloat(dtype) || dtype === 'bf16') return dtype
    throw new ConfigError(
      'Module: expected at least one parameter of real numbers to tell the element type by, got none',
    )
  }

  /** Number of scalars in all parameters. */
  get parameterCount(): number {
    return this.parameters().reduce((n, t) => n + t.size, 0)
  }

  /**
   * Replaces the parameters by those of a checkpoint, each converted to the dtype the module has, and frees the old
   * ones. What is in blocks in both stays in those of the checkpoint. Tensors of a map belong to the module from then on. Load before making optimisers or copies: both hold the
   * old tensors. Where anything fails, the module is as it was, and what had been read is freed.
   *
   * @param options.strict whether names that are missing or unexpected are errors, true by default; shapes always are,
   * and so is a checkpoint none of whose names is the model's
   * @throws {CheckpointError} that lists the names in question, before anything is read: missing, unexpected, of
   * another shape, or of a dtype that cannot be read in the parameter's; or that names one whose numbers that dtype
   * does not hold
   * @throws {ConfigError} on an unknown option
   */
  async load(checkpoint: Checkpoint, options: { readonly strict?: boolean } = {}): Promise<void> {
    checkOptions('load', options, { strict: flag })
    const own = this.state()
    const source = stateOf(checkpoint)
    checkFit(own, source, options.strict ?? true)
    const wanted = new Map([...own].flatMap(([name, { dtype }]): (readonly [string, DType])[] => {
      const info = source.info(name)
      return info ? [[name, typeRead(dtype, info)]] : []
    }))
    const values = await readAll(source, wanted, this.device)
    replace(this, '', (name, old) => {
      const value = values.get(name)
      if (value) old.dispose()
      return value ?? old
    })
    if (isMap(checkpoint)) for (const t of checkpoint.values()) t.dispose()
  }

  /**
   * A copy that shares everything but these parameters, which it uses in the dtype of those they stand for, or, where
   * that or their own is one of blocks, as numbers of the module's and as they are.
   * Give it evaluated tensors: a lazy one is computed again with every graph that reads it.
   * @throws {CheckpointError} if a name or shape is not one of the model's
   */
  withParameters(parameters: ReadonlyMap<string, Tensor>): this {
    const own = this.state()
    const wrong = [...parameters].flatMap(([name, t]) => {
      const old = own.get(name)
      return old && sameShape(old.shape, t.shape) ? [] : [`${name} ${shapeText(t.shape)}`]
    })
    if (wrong.length > 0) {
      throw new CheckpointError(`withParameters: expected names and shapes of the model, got ${some(wrong)}`)
    }
    const copied = copy(this)
    replace(copied, '', (name, old) => {
      const t = parameters.get(name)
      if (!t || inBlocks(t.dtype)) return t ?? old
      return t.to(inBlocks(old.dtype) ? this.dtype : old.dtype)
    })
    return copied
  }

  /**
   * A copy whose layers add `Σ w·Δ` of the named adapters; all others are off. The weights are run-time numbers:
   * changing them recompiles nothing. Layers for which a function gives 0 are left as they are.
   * @throws {ConfigError} if there is no such adapter, or a weight is not finite
   * @example
   * unet.with({ dpo: 1, style: (layer) => (layer.startsWith('up_blocks') ? 0.5 : 0) })
   */
  with(weights: AdapterWeights): this {
    checkAdapters('with', this, weights)
    const copied = copy(this)
    for (const [name, carrier] of carriersOf(copied)) carrier.active = weightsAt('with', weights, name)
    return copied
  }

  /** Frees parameters and adapters, also under every copy that shares them. */
  dispose(): void {
    for (const t of this.parameters()) t.dispose()
    for (const { adapters } of carriersOf(this).values()) {
      for (const { parameters } of adapters.values()) for (const t of parameters.values()) t.dispose()
      adapters.clear()
    }
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
    else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) if (isMember(item)) yield [`${snakeCase(key)}.${i}`, item]
    }
  }
}

/** As much of a layer that can carry adapters as the model around it needs to turn them on, and to free them. */
interface Carrier {
  readonly adapters: Map<string, { readonly parameters: ReadonlyMap<string, Tensor> }>
  active: ReadonlyMap<string, number>
}

function carriersOf(model: Module): Map<string, Module & Carrier> {
  const isCarrier = (module: Module): module is Module & Carrier => 'adapters' in module && 'active' in module
  return new Map([...model.namedModules()].flatMap(([name, module]) => (
    isCarrier(module) ? [[name, module] as const] : []
  )))
}

/**
 * The weight of each adapter on a layer; those of functions that are 0 there are left out.
 * @throws {ConfigError} if a function gives no finite number
 */
export function weightsAt(where: string, weights: AdapterWeights, layer: string): Map<string, number> {
  return new Map(Object.entries(weights).flatMap(([adapter, weight]): (readonly [string, number])[] => {
    if (typeof weight === 'number') return [[adapter, weight]]
    const here = weight(layer)
    checkArgument(where, `the weight of "${adapter}" on ${layer}`, here, finite)
    return here === 0 ? [] : [[adapter, here]]
  }))
}

/** Names of a model's adapters, on or off. */
export function adapterNames(model: Module): string[] {
  return [...new Set([...carriersOf(model).values()].flatMap(({ adapters }) => [...adapters.keys()]))]
}

/**
 * @throws {ConfigError} that lists the adapters there are, if one is asked for that is not, or its weight is no finite
 * number
 */
export function checkAdapters(where: string, model: Module, weights: AdapterWeights): void {
  const known = adapterNames(model)
  for (const [name, weight] of Object.entries(weights)) {
    if (!known.includes(name)) {
      throw new ConfigError(
        `${where}: expected an adapter of the model (${known.join(', ') || 'it has none'}), got "${name}"`,
      )
    }
    if (typeof weight !== 'function') checkArgument(where, `the weight of "${name}"`, weight, finite)
  }
}

/** A copy of the tree of modules; tensors and everything else are shared. */
function copy<M extends Module>(module: M): M {
  return copyWith(module, copy)
}

/** A copy of a module whose parts are what `f` gives for them, by their names in it; all else is shared. */
export function copyWith<M extends Module>(module: M, f: (part: Module, key: string) => Module): M {
  const copied = (value: unknown, key: string): unknown => {
    if (value instanceof Module) return f(value, key)
    return Array.isArray(value) ? value.map((item, i) => copied(item, `${key}.${i}`)) : value
  }
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
