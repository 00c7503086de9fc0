import { shapeText } from '@antipode/kernels-wgsl'
import { ShapeError } from '../errors.ts'
import { show } from '../options/index.ts'

/**
 * Every shape that a user gives, and every one that an operation gives for the first time, passes here.
 * @throws {ShapeError} unless its sizes are whole numbers of 0 or more, with fewer than 2^53 elements in all
 */
export function checkShape(where: string, shape: readonly number[]): void {
  if (!Array.isArray(shape)) throw new ShapeError(`${where}: expected a shape as a list of sizes, got ${show(shape)}`)
  let elements = 1
  for (const size of shape as readonly number[]) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new ShapeError(`${where}: expected sizes that are whole numbers of 0 or more, got ${size} in ${shapeText(shape)}`)
    }
    elements *= size
  }
  if (!(elements <= Number.MAX_SAFE_INTEGER)) throw new ShapeError(`${where}: expected fewer than 2^53 elements, got ${shapeText(shape)}`)
}

/**
 * The shape in which `elements` lie as `shape` says, where one size may be -1 and is worked out.
 * @throws {ShapeError} if there is more than one -1, or the others do not divide the elements
 */
export function completedShape(where: string, shape: readonly number[], elements: number): readonly number[] {
  const at = Array.isArray(shape) ? shape.indexOf(-1) : -1
  if (at < 0) {
    checkShape(where, shape)
    return shape
  }
  const others = shape.filter((_, i) => i !== at)
  if (others.includes(-1)) throw new ShapeError(`${where}: expected one size of -1 at most, got ${shapeText(shape)}`)
  checkShape(where, others)
  const known = others.reduce((a, b) => a * b, 1)
  const size = elements / known
  if (!Number.isSafeInteger(size)) {
    throw new ShapeError(`${where}: expected sizes that divide ${elements} elements beside -1, got ${shapeText(shape)}`)
  }
  return shape.map((d, i) => (i === at ? size : d))
}

/** Runs of neighbouring axes among those chosen, `[start, end)`, the last first. */
export function runsOfAxes(chosen: ReadonlySet<number>, rank: number): (readonly [start: number, end: number])[] {
  const runs: (readonly [number, number])[] = []
  for (let end = rank; end > 0; end--) {
    if (!chosen.has(end - 1)) continue
    let start = end - 1
    while (chosen.has(start - 1)) start--
    runs.push([start, end])
    end = start + 1
  }
  return runs
}
