import type { DType } from '@antipode/kernels-wgsl'
import type { Node, SharedSpec, Storage, Tensor } from '../graph/index.ts'

/** A stored tensor as the planner sees it: a leaf, or part of one from element `start` on. */
export interface LeafRef {
  readonly kind: 'leaf'
  readonly index: number
  readonly part?: { readonly shape: readonly number[]; readonly start: number }
}

/** What a value of a graph is, as the planner sees it. */
export type ValueRef =
  | LeafRef
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'constant'; readonly index: number }
  | { readonly kind: 'output'; readonly node: number; readonly index: number }

/** A buffer that exists before a graph runs, as the planner sees it. */
export interface LeafStructure {
  readonly spec: SharedSpec
  /** Equal for leaves that are one buffer under several shapes. */
  readonly owner: number
  /** Whether several tensors lie in it. */
  readonly shared: boolean
}

/** A buffer that exists before a graph runs. */
export interface Leaf extends LeafStructure {
  /** Whose buffer it is, once what belongs together lies so. */
  readonly storage: Storage
  /**
   * What has to lie in it before the graph runs, for then the graph overwrites all of it by one kernel, or reads it as
   * one operand.
   */
  readonly coalesced?: Coalesced
}

/** Storages to be moved into one buffer, unless they lie there so already. */
export interface Coalesced {
  readonly byteLength: number
  readonly parts: readonly { readonly storage: Storage; readonly offset: number; readonly byteLength: number }[]
}

/** One op of a graph and what it reads. */
export interface GraphNode {
  readonly node: Node
  readonly inputs: readonly ValueRef[]
}

/** All of a graph that its plan depends on. */
export interface GraphStructure {
  /** In the order in which they run, operands before results. */
  readonly nodes: readonly GraphNode[]
  readonly leaves: readonly LeafStructure[]
  readonly scalarTypes: readonly DType[]
  readonly constants: readonly { readonly spec: SharedSpec }[]
  readonly outputs: readonly ValueRef[]
  /** Equal for graphs that one plan serves. */
  readonly key: string
}

/** A graph cut loose from its tensors: its structure, and what its leaves hold now. */
export interface Graph extends GraphStructure {
  readonly leaves: readonly Leaf[]
  /** What the tensors it reads own. */
  readonly storages: ReadonlySet<Storage>
  /** The bits of each scalar in its own dtype: f32 bits for real ones. */
  readonly scalars: Uint32Array
  readonly constants: readonly Tensor[]
}
