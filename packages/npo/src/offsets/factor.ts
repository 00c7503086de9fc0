import type { Range } from '@antipode/core/options'

/** What an offset is multiplied by, which is f32 on the GPU. */
export const aFactor: Range = {
  expected: 'a number that is finite in f32', accepts: (v) => typeof v === 'number' && Number.isFinite(Math.fround(v)),
}
