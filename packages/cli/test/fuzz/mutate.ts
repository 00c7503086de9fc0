import type { Rng } from '@antipode/core/random'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** What stands for anything in hostile JSON. */
const hostile: readonly string[] = [
  '0', '-1', '1', '2.0', '1e0', '1e999', '-0', '0x3', '007', '4294967296', '9007199254740993', '18446744073709551615', '1e-400', 'NaN', 'Infinity',
  'true', 'false', 'null', '""', '"3"', '"\\ud800"', '"\\u0000"', '"__proto__"', '"constructor"', '"__metadata__"', '"../x.safetensors"',
  '[]', '{}', '[[]]', '{"a":{}}', `${'['.repeat(200)}${']'.repeat(200)}`, `${'['.repeat(8000)}${']'.repeat(8000)}`, `${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}`,
  `"${'x'.repeat(5000)}"`, `[${'1,'.repeat(3000)}1]`, ',', ':', '{', ']', '',
]

export const pick = <T>(random: Rng, all: readonly T[]): T => all[random.int(all.length)] as T

/** JSON with up to three of its tokens replaced, dropped, doubled or swapped. */
export function mutateJson(random: Rng, text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|-?[\d.]+(?:e[+-]?\d+)?|\w+|[^\s\w]/g) ?? []
  for (let changes = random.int(4); changes > 0 && tokens.length > 0; changes--) {
    const at = random.int(tokens.length)
    switch (random.int(5)) {
      case 0: tokens.splice(at, 1); break
      case 1: tokens.splice(at, 0, tokens[at] ?? ''); break
      case 2: tokens.splice(at, 1, pick(random, tokens)); break
      // A field of an object, or an element of a list, once more.
      case 3: tokens.splice(at, 0, ...tokens.slice(at, at + 1 + random.int(12))); break
      default: tokens.splice(at, 1, pick(random, hostile))
    }
  }
  return tokens.join('')
}

/** Bytes with up to three places of them flipped, dropped, doubled, or cut off. */
function mutateBytes(random: Rng, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes
  let out = bytes.slice()
  for (let changes = random.int(4); changes > 0 && out.length > 0; changes--) {
    const at = random.int(out.length)
    const length = 1 + random.int(16)
    switch (random.int(5)) {
      case 0: out[at]! ^= 1 << random.int(8); break
      case 1: out[at] = random.int(256); break
      case 2: out = joined(out.subarray(0, at), out.subarray(at + length)); break
      case 3: out = joined(out.subarray(0, at), out.subarray(at, at + length), out.subarray(at)); break
      default: out = out.slice(0, at)
    }
  }
  return out
}

/** A safetensors file with a change in its header, most often with a length that fits, or in any of its bytes. */
export function mutateSafetensors(random: Rng, file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (random.int(4) === 0) return mutateBytes(random, file)
  const view = new DataView(file.buffer, file.byteOffset)
  const length = Number(view.getBigUint64(0, true))
  const json = encoder.encode(mutateJson(random, decoder.decode(file.subarray(8, 8 + length))))
  const out = joined(file.subarray(0, 8), json, file.subarray(8 + length))
  if (random.int(8) > 0) new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true)
  return out
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
