import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.ts'

const everyCode = Uint16Array.from({ length: 65536 }, (_, code) => code)

/** The number a code stands for, by the definition of the format. */
function valueOf(code: number, exponentBits: number): number {
  const mantissaBits = 15 - exponentBits
  const bias = 2 ** (exponentBits - 1) - 1
  const sign = code & 0x8000 ? -1 : 1
  const exponent = (code & 0x7fff) >>> mantissaBits
  const fraction = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias)
}

const formats = [
  { name: 'f16', exponentBits: 5, widen: float16ToFloat32, narrow: float32ToFloat16, infinity: 0x7c00 },
  { name: 'bf16', exponentBits: 8, widen: bfloat16ToFloat32, narrow: float32ToBfloat16, infinity: 0x7f80 },
]

describe.each(formats)('$name', ({ exponentBits, widen, narrow, infinity }) => {
  const one = (value: number): number => narrow(Float32Array.of(value))[0]!

  test('all 65,536 codes widen to the number that the format defines', () => {
    const wide = widen(everyCode)
    for (const code of everyCode) {
      const expected = valueOf(code, exponentBits)
      if (!Object.is(wide[code], expected)) expect([code, wide[code]]).toEqual([code, expected])
    }
  })

  test('all 65,536 codes survive a round trip, NaN payloads and signed zeros included', () => {
    expect(narrow(widen(everyCode))).toEqual(everyCode)
  })

  test('every midpoint between neighbours goes to the even one, and the f32 next to it to the nearer one', () => {
    const word = new Uint32Array(1)
    const float = new Float32Array(word.buffer)
    const wide = widen(everyCode)
    // The last pair is the largest finite number and infinity, whose midpoint rounds to infinity, the even code.
    for (let code = 0; code < infinity; code++) {
      const low = wide[code]!
      const gap = code + 1 === infinity ? low - wide[code - 1]! : wide[code + 1]! - low
      float[0] = low + gap / 2
      const middle = word[0]!
      const expected = [code, code % 2 === 0 ? code : code + 1, code + 1]
      const actual = [middle - 1, middle, middle + 1].map((w) => {
        word[0] = w
        return one(float[0]!)
      })
      if (String(actual) !== String(expected)) expect([code, ...actual]).toEqual([code, ...expected])
    }
  })

  test('infinities stay, overflow saturates to infinity and signs are kept', () => {
    expect(one(Infinity)).toBe(infinity)
    expect(one(-Infinity)).toBe(infinity | 0x8000)
    expect(one(3.4028234e38)).toBe(infinity)
    expect(one(-3.4028234e38)).toBe(infinity | 0x8000)
    expect(one(-0)).toBe(0x8000)
    expect(one(1e-45)).toBe(0)
    expect(one(-1e-45)).toBe(0x8000)
  })

  test('a NaN whose payload lies below the kept bits stays a NaN', () => {
    for (const bits of [0x7f800001, 0xff800001, 0x7fc00000, 0x7fffffff]) {
      const narrowed = narrow(new Float32Array(Uint32Array.of(bits).buffer))
      expect(widen(narrowed)[0]).toBeNaN()
      expect(narrowed[0]! >>> 15).toBe(bits >>> 31)
    }
  })

  test('narrowing keeps the order of any two floats', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
        const [x, y] = a <= b ? [a, b] : [b, a]
        const wide = widen(narrow(Float32Array.of(x, y)))
        expect(wide[0]! <= wide[1]!).toBe(true)
      }),
    )
  })
})

test('f16 boundary values', () => {
  const cases: [number, number][] = [
    [1, 0x3c00],
    [65504, 0x7bff],
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0000001, 0x0001],
    [2 ** -14 - 2 ** -26, 0x0400],
  ]
  for (const [value, code] of cases) expect([value, float32ToFloat16(Float32Array.of(value))[0]]).toEqual([value, code])
})
