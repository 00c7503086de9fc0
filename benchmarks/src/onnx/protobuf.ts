/** A field of a protobuf message: its number and its value. */
export type Field = readonly [number: number, value: number | bigint | string | Uint8Array | Float | Message]

/** A message: fields in order; a repeated field comes several times. */
export interface Message {
  readonly fields: readonly Field[]
}

/** A number that travels as a 32-bit float. */
export interface Float {
  readonly float: number
}

/** A message of these fields. */
export const message = (...fields: readonly Field[]): Message => ({ fields })

/** A 32-bit float. */
export const float = (value: number): Float => ({ float: value })

/** Bytes of a message in protobuf's wire format: https://protobuf.dev/programming-guides/encoding/. Integers are 0 or more. */
export function encode({ fields }: Message): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (const [number, value] of fields) {
    if (typeof value === 'number' || typeof value === 'bigint') parts.push(varint(8 * number), varint(value))
    else if (typeof value === 'object' && 'float' in value) {
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setFloat32(0, value.float, true)
      parts.push(varint(8 * number + 5), bytes)
    } else {
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : encode(value)
      parts.push(varint(8 * number + 2), varint(bytes.length), bytes)
    }
  }
  return joined(parts)
}

/** Seven bits a byte, the lowest first; all but the last with the eighth bit set. */
function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt(value)
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return Uint8Array.of(...bytes, Number(rest))
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const part of parts) {
    out.set(part, start)
    start += part.length
  }
  return out
}
