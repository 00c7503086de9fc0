import { createHash } from 'node:crypto'

/** A number of 48 bits that a text always has: what draws and splits of the data set come from. */
export function stableHash(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6)
}
