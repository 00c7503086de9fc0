import { philoxNormal } from '@antipode/core/random'
import { sizeOf } from '../reference/index.ts'
import type { Input } from '../workload.ts'

/** A source of normal numbers for a workload: its id decides them, so every process draws the same. */
export function normals(id: string): (shape: readonly number[], scale?: number) => Input {
  let stream = [...id].reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) % 1_000_003, 7) * 16
  return (shape, scale = 1) => {
    const data = Float32Array.from(philoxNormal(sizeOf(shape), { seed: 1, stream: stream++ }), (v) => v * scale)
    return { shape, data }
  }
}

/** Entries of an error check by row: rows are computed once, entries asked for one by one. */
export function rowwise(width: number, rowOf: (row: number) => Float64Array): (index: number) => number {
  let known = -1
  let values: Float64Array = new Float64Array()
  return (index) => {
    const row = Math.floor(index / width)
    if (row !== known) values = rowOf(known = row)
    return values[index % width] ?? Number.NaN
  }
}

/** All entries of some rows. */
export function entriesOfRows(rows: readonly number[], width: number): number[] {
  return rows.flatMap((row) => Array.from({ length: width }, (_, column) => row * width + column))
}
