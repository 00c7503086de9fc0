import { type BlockType, type DType, inBlocks, madeBlockTypes } from '@antipode/kernels-wgsl'
import type { Tensor, Backend } from '../../graph/index.ts'

/** What a source tells of a tensor before it is read. */
export interface StateInfo {
  readonly shape: readonly number[]
  /** Element type as it is stored, in the word of its format: `F16`, `BF16`, `Q4_0`. */
  readonly dtype: string
  /** Element types that it can be read in: none where no tensor holds such elements. */
  readonly reads: readonly DType[]
}

/** Tensors by name that are read one at a time: an open checkpoint, or a key map around one. */
export interface StateSource {
  /** Every name, each once. */
  names(): Iterable<string>
  /** What is known of a tensor before it is read; undefined if there is none of that name. */
  info(name: string): StateInfo | undefined
  /**
   * Brings one tensor to a device, evaluated, in one of the element types that it reads in. It belongs to the caller.
   * @throws {CheckpointError} if there is none of that name, it cannot be read, or the element type does not hold its
   * numbers
   */
  read(name: string, device: Backend, dtype: DType): Promise<Tensor>
}

/** What tensors of real numbers can be read in, beside the blocks that they lie in. */
export const realTypes: readonly DType[] = ['f32', 'f16', 'bf16', ...madeBlockTypes]

/** The blocks that a tensor lies in, if it does. */
export function storedBlocks({ dtype }: Pick<StateInfo, 'dtype'>): BlockType | undefined {
  const type = dtype.toLowerCase()
  return inBlocks(type) ? type : undefined
}

/** What a parameter of a type is read in: one in blocks in those of the source, if it has any, as they are finer than others made of them. */
export function typeRead(dtype: DType, info: StateInfo): DType {
  return inBlocks(dtype) ? storedBlocks(info) ?? dtype : dtype
}
