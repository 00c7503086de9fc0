/** A field of a protocol buffer: its number, and its value with how it is written. */
export type Field =
  | readonly [number: number, kind: 'whole', value: number]
  | readonly [number: number, kind: 'float' | 'double', value: number]
  | readonly [number: number, kind: 'bytes', value: Uint8Array]
  | readonly [number: number, kind: 'text', value: string]

/** A message of some fields. Source: protobuf.dev, "Encoding". */
export function message(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  return joined(fields.flatMap(([number, kind, value]) => {
    switch (kind) {
      case 'whole': return [varint(number * 8), varint(value)]
      case 'double': return [varint(number * 8 + 1), float(value, 8)]
      case 'float': return [varint(number * 8 + 5), float(value, 4)]
      case 'bytes': return [varint(number * 8 + 2), varint(value.length), value]
      case 'text': return message([number, 'bytes', new TextEncoder().encode(value)])
      default: return kind satisfies never
    }
  }))
}

/** Arrays of bytes, one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** A whole number in [0, 2⁵³), seven bits a byte. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 128)
  return Uint8Array.of(...bytes, rest)
}

function float(value: number, bytes: 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes))
  if (bytes === 4) view.setFloat32(0, value, true)
  else view.setFloat64(0, value, true)
  return new Uint8Array(view.buffer)
}
