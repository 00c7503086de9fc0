import type { Range } from '../options/index.ts'

const f32 = (v: unknown): number => (typeof v === 'number' ? Math.fround(v) : Number.NaN)

// Hyperparameters are f32 on the GPU, so a range holds for what a number becomes there.

/** A learning rate or its like. */
export const rate: Range = { expected: 'a number of 0 or more that is finite in f32', accepts: (v) => f32(v) >= 0 && f32(v) < Infinity }

/** What an average keeps of itself at each update. */
export const decay: Range = { expected: 'a number in [0, 1), also in f32', accepts: (v) => f32(v) >= 0 && f32(v) < 1 }

/** A divisor's least value: not 0 on a GPU that takes subnormal numbers for 0. */
export const offset: Range = { expected: 'a finite number of 2⁻¹²⁶ or more', accepts: (v) => f32(v) >= 2 ** -126 && f32(v) < Infinity }

/** Two of one range. */
export function pairOf({ expected, accepts }: Range): Range {
  return { expected: `a pair, each of it ${expected}`, accepts: (v) => Array.isArray(v) && v.length === 2 && v.every((one) => accepts(one)) }
}
