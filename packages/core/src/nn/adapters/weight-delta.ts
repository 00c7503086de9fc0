import type { DType } from '@antipode/kernels-wgsl'
import type { Tensor, Backend } from '../../graph/index.ts'

/** What a change of a weight knows of the layer that it is on. */
export interface WeightProduct {
  readonly device: Backend
  /** Element type of the weight in its product. */
  readonly dtype: DType
  /** Outputs, inputs of a group, and the sides of a kernel. */
  readonly weightShape: readonly number[]
  /** Parts that inputs and outputs are cut into, each multiplied by itself. */
  readonly groups: number
  /** The weight itself, without any change: lazy where the layer keeps it in another form. */
  plainWeight(): Tensor
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
  delta(layer: WeightProduct, w: number): Tensor
  /** What w·Δ adds to the layer's output for x. */
  apply(layer: WeightProduct, x: Tensor, w: number): Tensor
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
  /** The shapes that its tensors have on a layer, told by those that are there. */
  shapes(layer: WeightProduct, given: readonly (readonly number[] | undefined)[]): readonly (readonly number[])[]
  /** The change that tensors of those shapes are, in the order of `names`. */
  of(tensors: readonly Tensor[], alpha: number | undefined): WeightDelta
}

/** How an adapter begins: on which layers, and as what. */
export interface AdapterMaker {
  /** Layers that get a change, by their names in the model. */
  readonly targets: RegExp | ((layer: string) => boolean)
  /** Called once for a model; what it gives is called for each layer in the order of the model. */
  begin(device: Backend): (layer: WeightProduct) => WeightDelta
}
