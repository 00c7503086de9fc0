import { CheckpointError, type Backend, type DType, type Tensor } from '@antipode/core'
import type { Adaptable, Checkpoint, StateInfo, StateSource } from '@antipode/core/nn'
import { rename, reshape } from '../../keymaps/index.ts'
import type { LayerNames } from './tensors-by-layer.ts'

/** What the names of tensors have behind the layer's, by what they are to it. */
const endings = {
  a: 'lora_A.weight', b: 'lora_B.weight', middle: 'lora_mid.weight', diff: 'diff', diffBias: 'diff_b',
} as const

/** The tensors of a model's layers in a file. */
export interface AdapterTensors {
  readonly names: ReadonlyMap<string, LayerNames>
  /** Names that belong to no layer; they keep their names. */
  readonly strangers: readonly string[]
}

/**
 * The part of an adapter file that is for one model, under PEFT's names and in the shapes of the model's layers: pairs
 * of a convolution of 1×1 may be stored as those of a linear layer and the other way round, and those of a wider
 * kernel as matrices. LyCORIS' form of three factors becomes a pair.
 * @param layers of the model, by name
 * @throws {CheckpointError} if three factors do not fit each other
 */
export function adapterState(
  file: Checkpoint,
  { names, strangers }: AdapterTensors,
  layers: ReadonlyMap<string, Adaptable>,
): StateSource {
  const known = new Map(strangers.map((name) => [name, name]))
  for (const [layer, stored] of names) {
    for (const [part, ending] of Object.entries(endings)) {
      const name = stored[part as keyof typeof endings]
      if (name !== undefined) known.set(name, `${layer}.${ending}`)
    }
    const { a, b, alpha } = stored
    // An alpha beside nothing is for no pair.
    if (alpha !== undefined && (a ?? b) === undefined) known.set(alpha, alpha)
  }
  const named = rename(file, (name) => known.get(name))
  const mixed = [...names].filter(([, { middle }]) => middle !== undefined).map(([layer]) => layer)
  const pairs = withoutMiddles(named, mixed)
  const placed = new Map<string, readonly number[]>([...layers].flatMap(([layer, { weightShape }]) => (
    [endings.a, endings.b, endings.diff].map((ending) => [`${layer}.${ending}`, weightShape] as const)
  )))
  return reshape(pairs, (name, shape) => {
    const [rows = 0, columns] = shape
    const weight = placed.get(name) ?? shape
    const field = weight.slice(1)
    const flattened = shape.length === 2 && columns === field.reduce((size, side) => size * side, 1)
    return flattened && name.endsWith(endings.a) ? [rows, ...field] : fitted(shape, weight)
  })
}

/** A shape with as many axes as the weight's has, where those that differ are of length 1. */
function fitted(shape: readonly number[], weight: readonly number[]): readonly number[] {
  if (shape.slice(weight.length).some((side) => side !== 1)) return shape
  return weight.map((_, axis) => shape[axis] ?? 1)
}

/**
 * A source whose layers with a middle factor `[r, r, k, k]` between A `[r, in, 1, 1]` and B have a pair instead, whose
 * A is the product of the first two, `[r, in, k, k]`. Source: LyCORIS' `locon.py`, Tucker decomposition.
 */
function withoutMiddles(source: StateSource, layers: readonly string[]): StateSource {
  const products = new Map(layers.map((layer) => {
    const [a, middle] = [`${layer}.${endings.a}`, `${layer}.${endings.middle}`]
    return [a, { middle, info: productInfo(layer, source.info(a), source.info(middle)) }] as const
  }))
  if (products.size === 0) return source
  const inner = new Set([...products.values()].map(({ middle }) => middle))
  return {
    names: () => [...source.names()].filter((name) => !inner.has(name)),
    info: (name) => products.get(name)?.info ?? source.info(name),
    async read(name: string, device: Backend, dtype: DType): Promise<Tensor> {
      const product = products.get(name)
      if (!product) return source.read(name, device, dtype)
      const [out = 0, inputs = 0, ...sides] = product.info.shape
      using a = await source.read(name, device, 'f32')
      using middle = await source.read(product.middle, device, 'f32')
      const rank = a.shape[0] ?? 0
      // r' r kh kw -> (r' kh kw) r, times r in, and back to r' in kh kw
      const mixed = middle.permute([0, 2, 3, 1]).reshape([-1, rank]).matmul(a.reshape([rank, inputs]))
      const y = mixed.reshape([out, ...sides, inputs]).permute([0, 3, 1, 2]).to(dtype)
      await device.evaluate([y])
      return y
    },
  }
}

function productInfo(layer: string, a: StateInfo | undefined, middle: StateInfo | undefined): StateInfo {
  const [rank, inputs = 0, ...rest] = a?.shape ?? []
  const [out = 0, between, ...sides] = middle?.shape ?? []
  if (a && rank === between && sides.length === 2 && rest.every((side) => side === 1)) {
    return { ...a, shape: [out, inputs, ...sides] }
  }
  throw new CheckpointError(
    `loadAdapter: expected the factors of ${layer} to fit each other, got [${a?.shape ?? 'none'}] for the first and ` +
      `[${middle?.shape}] for the middle; the file is damaged`,
  )
}
