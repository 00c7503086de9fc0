import type { Tensor, Backend } from '../../graph/index.ts'

/** What a change knows of the layer that it is on. */
export interface Weighted {
  readonly device: Backend
  readonly weightShape: readonly number[]
  readonly bias: Tensor | undefined
  /** The weight itself, without any change; perhaps in blocks. */
  plainWeight(): Tensor
}

/** A layer that multiplies by its weight: outputs, inputs of a group, and the sides of a kernel. */
export interface WeightProduct extends Weighted {
  /** Parts that inputs and outputs are cut into, each multiplied by itself. */
  readonly groups: number
  /** What the layer makes of x with another weight of that shape, or of another number of outputs; without its bias. */
  product(x: Tensor, weight: Tensor): Tensor
}

/** A change Δ of a layer's weight: W + w·Δ, with w chosen for each forward pass. */
export interface WeightDelta {
  /** Its tensors, by what their names have behind the layer's: what is trained, and saved. */
  readonly parameters: ReadonlyMap<string, Tensor>
  /** Numerator of its strength, for kinds that have one. */
  readonly alpha?: number
  /** w·Δ in the shape of the weight, f32 and lazy. */
  delta(layer: Weighted, w: number): Tensor
  /** What w·Δ adds to the layer's bias, f32 and lazy; undefined where the bias stays. */
  biasDelta?(w: number): Tensor | undefined
  /** What w·Δ adds to the layer's output for x, but for the bias. */
  apply(layer: WeightProduct, x: Tensor, w: number): Tensor
  /** Rows of w·Δ for a layer that is a table, f32: indices `[...] -> [..., size]`; of kinds that a table can carry. */
  rows?(indices: Tensor, w: number): Tensor
  /**
   * Multiply-adds at each position that training `apply` takes, to be compared with those of the whole weight's
   * gradient.
   */
  cost(layer: WeightProduct): number
}

/** One way to change a weight, as files and callers bring it. */
export interface DeltaKind {
  /** What the names of its tensors have behind the layer's. */
  readonly names: readonly string[]
  /** Whether only layers that multiply by their weight can carry it. */
  readonly ofProducts: boolean
  /**
   * The shapes that its tensors have on a layer, told by those that are there; undefined for one that has to be missing
   * then.
   */
  shapes(
    layer: Weighted & Partial<WeightProduct>,
    given: readonly (readonly number[] | undefined)[],
  ): readonly (readonly number[] | undefined)[]
  /** The change that tensors of those shapes are, in the order of `names`. */
  of(tensors: readonly (Tensor | undefined)[], alpha: number | undefined): WeightDelta
}

/** How an adapter begins: on which layers, and as what. */
export interface AdapterMaker {
  /** Layers that get a change, by their names in the model. */
  readonly targets: RegExp | ((layer: string) => boolean)
  /** Called once for a model; what it gives is called for each layer in the order of the model. */
  begin(device: Backend): (layer: WeightProduct) => WeightDelta
}
