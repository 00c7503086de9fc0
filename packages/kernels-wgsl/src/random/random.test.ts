import { describe, expect, test } from 'vitest'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Kernel, RefTensor } from '../op.ts'
import { rounded, runKernels, testOp } from '../testing.ts'
import { assemble, input, output } from '../wgsl/index.ts'
import { type Distribution, normal, uniform } from './distributions.ts'
import { philoxBlock } from './philox.ts'
import { philoxNormal, philoxUniform } from './random.ts'

const state = (...words: [number, number, number, number]): { shape: number[]; dtype: 'u32'; values: (i: number) => number } =>
  ({ shape: [4], dtype: 'u32', values: (i) => words[i] ?? 0 })
const plain = state(7, 0, 0, 0)
const cases = [
  { name: 'one element', inputs: [plain], attrs: { shape: [1] } },
  { name: 'every bit of the state', inputs: [state(0x89abcdef, 0x1fffff, 0xfedcba98, 0xffffffff)], attrs: { shape: [3, 5] } },
  { name: 'rank 0', inputs: [plain], attrs: { shape: [] } },
  { name: 'vectors in several rounds of the loop', inputs: [plain], attrs: { shape: [33_000] } },
  { name: 'elements in several rounds of the loop', inputs: [plain], attrs: { shape: [33_001] } },
  { name: 'vectors in several rounds of 65,535 workgroups', inputs: [plain], attrs: { shape: [16_800_000] }, slow: true },
  { name: 'halves', inputs: [plain], attrs: { shape: [64], dtype: 'f16' as const } },
  { name: 'an odd number of halves', inputs: [plain], attrs: { shape: [67], dtype: 'f16' as const } },
]
const errors = [
  { name: 'a state of another shape', inputs: [{ shape: [2], dtype: 'u32' as const }], attrs: { shape: [3] }, error: ShapeError },
  { name: 'a state of another dtype', inputs: [{ shape: [4], dtype: 'f32' as const }], attrs: { shape: [3] }, error: DTypeError },
  { name: 'a negative size', inputs: [{ shape: [4], dtype: 'u32' as const }], attrs: { shape: [-1] }, error: ShapeError },
]
// Every bit; halves are rounded down by both.
testOp(philoxUniform, { cases, errors, tolerance: { f32: 0, f16: 0 } })
// Relative to the largest value, some 4: a few roundings of radius and angle.
testOp(philoxNormal, { cases, errors, tolerance: { f32: 3e-7, f16: 2 ** -10 } })

const stateRef = (words: readonly number[]): RefTensor => ({ shape: [4], dtype: 'u32', data: Float64Array.from(words) })

describe.skipIf(globalThis.kernelTestHost)('the reference of philox', () => {
  // Known answers of Philox 4x32-10: Random123 (D. E. Shaw Research), tests/kat_vectors.
  test.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    { counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], key: [0xa4093822, 0x299f31d0], words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1] },
  ] as const)('gives the published words for counter $counter', ({ counter, key, words }) => {
    expect(philoxBlock(counter, key)).toEqual(words)
  })

  test('puts seed, stream and offset where the counter and key hold them', () => {
    const got = philoxUniform.reference([stateRef([5, 6, 7, 8])], { shape: [8] })[0]
    const words = [...philoxBlock([8, 0, 7, 0], [5, 6]), ...philoxBlock([9, 0, 7, 0], [5, 6])]
    expect([...got?.data ?? []]).toEqual(words.map((w) => Math.floor(w / 256) / 16777216))
  })

  test('an offset of k blocks skips 4k elements, and carries into counter word 1', () => {
    const draw = (offset: number, n: number): number[] => [...philoxUniform.reference([stateRef([1, 2, 3, offset])], { shape: [n] })[0]?.data ?? []]
    expect(draw(2, 12)).toEqual(draw(0, 20).slice(8))
    expect(draw(0xffffffff, 8).slice(4)).toEqual(philoxBlock([0, 1, 3, 0], [1, 2]).map((w) => (w >>> 8) * 2 ** -24))
  })
})

/** Words whose fractions are the least and the greatest, and beside where halves change. */
const ends = [0, 0xff, 0x100, 0x1ff, 0x3ffff, 0x40000, 0x7fffffff, 0x80000000, 0xffdfffff, 0xffefff00, 0xffefffff, 0xfff00000, 0xffffff00, 0xffffffff]
const blocks = ends.flatMap((first) => ends.map((second) => [first, second, second, first]))

describe.for([['uniform', uniform], ['normal', normal]] as const)('the ends of the %s distribution', ([name, distribution]) => {
  test.for(['f32', 'f16'] as const)('are those of its reference, finite and below what is promised: %s', async (dtype, { skip }) => {
    const exact = blocks.flatMap((words) => distribution.values(words.map((w) => (w >>> 8) * 2 ** -24), dtype))
    const host = globalThis.kernelTestHost
    if (host) skip(dtype === 'f16' && !host.target.f16, 'this adapter has no f16')
    const got = host ? (await runKernels(host, [conversion(distribution, dtype)], [
      { spec: { shape: [exact.length], dtype: 'u32' }, data: blocks.flat() },
    ], [{ shape: [exact.length], dtype }]))[0] ?? new Float64Array() : Float64Array.from(exact, (x) => rounded(x, dtype))
    for (const x of got) expect(name === 'uniform' ? x >= 0 && x < 1 : Math.abs(x) <= 5.78).toBe(true)
    const widest = got.reduce((most, x, i) => Math.max(most, Math.abs(x - (exact[i] ?? Number.NaN))), 0)
    expect(widest).toBeLessThanOrEqual(name === 'uniform' ? 0 : dtype === 'f16' ? 2 ** -8 : 2e-6)
  })
})

/** A kernel of the distribution's conversion alone, a block of four words an invocation. */
function conversion({ wgsl }: Distribution, dtype: 'f32' | 'f16'): Kernel {
  return assemble({
    label: 'conversion',
    dtype,
    params: { n: blocks.length },
    storage: [input(0, 'words', 'vec4u'), output(0, 'out', 'vec4<Scalar>')],
    body: `${wgsl(dtype)}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < P.n) { out[id.x] = vec4<Scalar>(values(fractions(words[id.x]))); }
}
`,
    workgroups: [Math.ceil(blocks.length / 64), 1, 1],
    epilogue: null,
  })
}
