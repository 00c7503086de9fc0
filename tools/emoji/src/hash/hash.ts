import { createHash } from 'node:crypto'

/** A whole number in [0, 2^52) of a text, the same on any machine: the first bits of its SHA-256. */
export function hashOf(text: string): number {
  const bytes = createHash('sha256').update(text).digest()
  return bytes.readUIntBE(0, 6) * 16 + (bytes.readUInt8(6) >> 4)
}
