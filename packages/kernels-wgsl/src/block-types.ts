/**
 * How types of ggml keep numbers: so many in a block of so many bytes, those of a block in a row of the tensor.
 * Source: ggml, ggml-common.h.
 */
export const blockTypes = {
  q4_0: { size: 32, bytes: 18 },
  q4_1: { size: 32, bytes: 20 },
  q5_0: { size: 32, bytes: 22 },
  q5_1: { size: 32, bytes: 24 },
  q8_0: { size: 32, bytes: 34 },
  q4_k: { size: 256, bytes: 144 },
  q5_k: { size: 256, bytes: 176 },
  q6_k: { size: 256, bytes: 210 },
} as const

/** An element type whose numbers lie in blocks, each with a scale of its own. */
export type BlockType = keyof typeof blockTypes

/** Whether numbers of a type lie in blocks. */
export function inBlocks(dtype: string): dtype is BlockType {
  return Object.hasOwn(blockTypes, dtype)
}
