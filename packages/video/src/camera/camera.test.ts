import { ConfigError, OutOfMemoryError, ShapeError } from '@antipode/core'
import fc from 'fast-check'
import { mat4, mat4d } from 'wgpu-matrix'
import { describe, expect, test } from 'vitest'
import { type Intrinsics, pluckerRays, relativePoses } from './index.ts'

/** A pose as the textbooks write it, row after row: Rz(c)·Ry(b)·Rx(a), then the position. */
function rows(a: number, b: number, c: number, position: readonly number[]): number[][] {
  const [ca, sa, cb, sb, cc, sc] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b), Math.cos(c), Math.sin(c)]
  return [
    [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa, position[0]!],
    [sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa, position[1]!],
    [-sb, cb * sa, cb * ca, position[2]!],
    [0, 0, 0, 1],
  ]
}
const columnMajor = (m: number[][]): Float64Array => Float64Array.from({ length: 16 }, (_, i) => m[i % 4]![Math.floor(i / 4)]!)

/** The formula in plain float64, without the matrix library: six numbers of one pixel. */
function ray([fx, fy, cx, cy]: Intrinsics, m: number[][], u: number, v: number): number[] {
  const x = (u + 0.5 - cx) / fx
  const y = (v + 0.5 - cy) / fy
  const length = Math.sqrt(x * x + y * y + 1)
  const [dx, dy, dz] = [0, 1, 2].map((i) => (m[i]![0]! * x + m[i]![1]! * y + m[i]![2]!) / length) as [number, number, number]
  const [ox, oy, oz] = [m[0]![3]!, m[1]![3]!, m[2]![3]!]
  return [oy * dz - oz * dy, oz * dx - ox * dz, ox * dy - oy * dx, dx, dy, dz]
}

const angle = fc.double({ min: -3, max: 3, noNaN: true })
const place = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -5, max: 5, noNaN: true })))
const pose = fc.tuple(angle, angle, angle, place).map(([a, b, c, p]) => rows(a, b, c, p as number[]))
const camera: fc.Arbitrary<Intrinsics> = fc.tuple(
  fc.double({ min: 0.5, max: 80, noNaN: true }), fc.double({ min: 0.5, max: 80, noNaN: true }),
  fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true }),
)
/** Six channels of a pixel of a clip. */
const pixel = (rays: Float32Array, plane: number, frame: number, at: number): number[] =>
  Array.from({ length: 6 }, (_, k) => rays[(frame * 6 + k) * plane + at]!)

describe('pluckerRays', () => {
  test('equals the formula in every frame, channel and pixel, three frames included', () => {
    // float64 inside, so only the last rounding differs: half a unit of float32 at moments up to 9.
    fc.assert(fc.property(fc.array(fc.tuple(pose, camera), { minLength: 1, maxLength: 3 }), (clip) => {
      const [height, width] = [3, 5]
      const rays = pluckerRays({
        intrinsics: clip.map(([, c]) => c), cameraToWorld: clip.map(([m]) => columnMajor(m)), height, width,
      })
      expect(rays.length).toBe(clip.length * 6 * height * width)
      for (const [frame, [m, c]] of clip.entries()) {
        for (let at = 0; at < height * width; at++) {
          const want = ray(c, m, at % width, Math.floor(at / width))
          for (const [k, value] of pixel(rays, height * width, frame, at).entries()) {
            expect(Math.abs(value - want[k]!)).toBeLessThan(1e-6)
          }
        }
      }
    }), { numRuns: 40 })
  })

  test('directions have length one and moments stand across them', () => {
    fc.assert(fc.property(pose, camera, (m, c) => {
      const rays = pluckerRays({ intrinsics: [c], cameraToWorld: [columnMajor(m)], height: 2, width: 2 })
      for (let at = 0; at < 4; at++) {
        const [mx, my, mz, dx, dy, dz] = pixel(rays, 4, 0, at) as [number, number, number, number, number, number]
        expect(Math.hypot(dx, dy, dz)).toBeCloseTo(1, 6)
        expect(Math.abs(mx * dx + my * dy + mz * dz)).toBeLessThan(2e-6)
      }
    }))
  })

  test('a camera moved along a ray keeps that ray, and moved across it does not', () => {
    fc.assert(fc.property(pose, fc.double({ min: -4, max: 4, noNaN: true }), (m, distance) => {
      // One pixel with the principal point in its middle: its ray is the camera's own z axis.
      const one = { intrinsics: [[7, 7, 0.5, 0.5]] as const, height: 1, width: 1 }
      const moved = (axis: number): number[][] => m.map((row, i) => (i === 3 ? row : [...row.slice(0, 3), row[3]! + distance * row[axis]!]))
      const before = pluckerRays({ ...one, cameraToWorld: [columnMajor(m)] })
      const along = pluckerRays({ ...one, cameraToWorld: [columnMajor(moved(2))] })
      const across = pluckerRays({ ...one, cameraToWorld: [columnMajor(moved(0))] })
      expect(Math.max(...before.map((v, i) => Math.abs(v - along[i]!)))).toBeLessThan(2e-6)
      const shift = Math.hypot(...[0, 1, 2].map((i) => before[i]! - across[i]!))
      expect(shift).toBeCloseTo(Math.abs(distance), 4)
    }))
  })

  test('malformed cameras are refused by name', () => {
    const good = { intrinsics: [[8, 8, 4, 4]] as const, cameraToWorld: [mat4.identity()], height: 4, width: 4 }
    const rowMajor = mat4.transpose(mat4.translation([1, 2, 3]))
    expect(() => pluckerRays({ ...good, cameraToWorld: [rowMajor] })).toThrow(/column-major/)
    expect(() => pluckerRays({ ...good, cameraToWorld: [mat4.scaling([2, 1, 1])] })).toThrow(/orthonormal/)
    expect(() => pluckerRays({ ...good, cameraToWorld: [mat4.scaling([-1, 1, 1])] })).toThrow(/mirror/)
    expect(() => pluckerRays({ ...good, cameraToWorld: [new Float32Array(12)] })).toThrow(ShapeError)
    expect(() => pluckerRays({ ...good, cameraToWorld: [new Float32Array(16).fill(Number.NaN)] })).toThrow(ConfigError)
    expect(() => pluckerRays({ ...good, cameraToWorld: [] })).toThrow(ShapeError)
    expect(() => pluckerRays({ ...good, intrinsics: [] })).toThrow(ShapeError)
    expect(() => pluckerRays({ ...good, intrinsics: [[0, 8, 4, 4]] })).toThrow(/intrinsics\[0\]/)
    expect(() => pluckerRays({ ...good, intrinsics: [[8, Number.POSITIVE_INFINITY, 4, 4]] })).toThrow(ConfigError)
    expect(() => pluckerRays({ ...good, height: 0 })).toThrow(ShapeError)
    expect(() => pluckerRays({ ...good, width: 2.5 })).toThrow(ShapeError)
    expect(() => pluckerRays({ ...good, size: 4 } as never)).toThrow('got size; remove or rename it')
    expect(() => pluckerRays({ ...good, intrinsics: [null] as never })).toThrow(ConfigError)
    expect(() => pluckerRays({ ...good, intrinsics: [{ length: 3 }] as never })).toThrow(/intrinsics\[0\]/)
    expect(() => pluckerRays({ ...good, height: 2 ** 40, width: 2 ** 40 })).toThrow(OutOfMemoryError)
  })
})

describe('relativePoses', () => {
  test('puts the first camera at the origin and keeps motions between cameras', () => {
    fc.assert(fc.property(fc.array(pose, { minLength: 1, maxLength: 4 }), (clip) => {
      const world = clip.map(columnMajor)
      const relative = relativePoses(world)
      expect(relative[0]).toEqual(mat4d.identity())
      for (const [i, m] of relative.entries()) {
        const back: Float64Array = mat4d.multiply(world[0]!, m)
        expect(Math.max(...back.map((v, k) => Math.abs(v - world[i]![k]!)))).toBeLessThan(1e-12)
      }
    }))
  })

  test('does not depend on where the world has its origin', () => {
    fc.assert(fc.property(pose, pose, pose, (world, a, b) => {
      const [w, first, second] = [world, a, b].map(columnMajor) as [Float64Array, Float64Array, Float64Array]
      const here = relativePoses([first, second])[1]!
      const there = relativePoses([mat4d.multiply(w, first), mat4d.multiply(w, second)])[1]!
      expect(Math.max(...here.map((v, k) => Math.abs(v - there[k]!)))).toBeLessThan(1e-12)
    }))
  })

  test('refuses an empty clip and a pose that is no rigid motion', () => {
    expect(() => relativePoses([])).toThrow(ShapeError)
    expect(() => relativePoses([mat4.identity(), mat4.scaling([1, 2, 1])])).toThrow(/cameraToWorld\[1\]/)
  })
})
