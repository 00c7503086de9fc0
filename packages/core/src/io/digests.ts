import { CheckpointError, UnsupportedError } from '../errors.ts'
import { quote, type SafetensorsInfo } from './header.ts'

/**
 * Metadata that holds SHA-256 digests in hexadecimal, one after the other: first of the header's JSON, in which this first
 * one counts as zeros, then of each tensor in file order, of one in pieces of 1 GiB for each piece.
 */
export const DIGEST_KEY = 'sha256'

const DIGITS = 64
const PIECE_BYTES = 2 ** 30

/** Zeros in the place of the digests of tensors of so many bytes. */
export function digestPlaceholder(byteLengths: Iterable<number>): string {
  let digests = 1
  for (const bytes of byteLengths) digests += piecesOf(bytes)
  return '0'.repeat(digests * DIGITS)
}

const piecesOf = (byteLength: number): number => Math.max(1, Math.ceil(byteLength / PIECE_BYTES))

/** The digests of a tensor's bytes. */
export async function digestOf(op: string, bytes: Uint8Array): Promise<string> {
  let digits = ''
  for (let piece = 0; piece < piecesOf(bytes.byteLength); piece++) {
    digits += await sha256(op, bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES))
  }
  return digits
}

/** The header's JSON with the digests of all tensors, and its own, in the place of the placeholder. */
export async function sealed(op: string, json: Uint8Array, placeholder: string, tensors: string): Promise<Uint8Array> {
  const blank = withDigests(json, placeholder, `${'0'.repeat(DIGITS)}${tensors}`)
  return withDigests(blank, `${'0'.repeat(DIGITS)}${tensors}`, `${await sha256(op, blank)}${tensors}`)
}

/** Gives back a tensor's bytes if they are those that were written, and throws otherwise. */
export type Verify = (name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>

/**
 * Checks a header against its own digest, and gives what checks its tensors against theirs.
 * @throws {CheckpointError} if the file has no digests, or its header is not what was written
 */
export async function verifier(
  label: string,
  json: Uint8Array,
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, SafetensorsInfo>,
): Promise<Verify> {
  const op = 'readSafetensors'
  const digits = metadata[DIGEST_KEY]
  if (digits === undefined) {
    throw new CheckpointError(`${op}: ${label}: expected a file with digests to verify, got one without; write it with digest: true, or read it without verify`)
  }
  const expected = digestPlaceholder(Array.from(tensors.values(), ({ byteLength }) => byteLength)).length
  const blank = withDigests(json, digits, `${'0'.repeat(DIGITS)}${digits.slice(DIGITS)}`)
  if (digits.length !== expected || await sha256(op, blank) !== digits.slice(0, DIGITS)) throw damaged(label, 'the header')
  const digestOfTensor = new Map<string, string>()
  let at = DIGITS
  for (const [name, { byteLength }] of tensors) digestOfTensor.set(name, digits.slice(at, at += DIGITS * piecesOf(byteLength)))
  return async (name, bytes) => {
    if (await digestOf(op, bytes) !== digestOfTensor.get(name)) throw damaged(label, `tensor ${quote(name)}`)
    return bytes
  }
}

function damaged(label: string, what: string): CheckpointError {
  return new CheckpointError(`readSafetensors: ${label}: expected ${what} as it was written, got another SHA-256; the file is damaged: restore a copy of it`)
}

/** A quotation mark inside a string is escaped, so the key with its own is found nowhere else. */
function withDigests(json: Uint8Array, from: string, to: string): Uint8Array {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(json)
  return new TextEncoder().encode(text.replace(`"${DIGEST_KEY}":"${from}"`, `"${DIGEST_KEY}":"${to}"`))
}

async function sha256(op: string, bytes: Uint8Array): Promise<string> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle
  if (subtle === undefined) throw new UnsupportedError(`${op}: expected WebCrypto for digests, got a host without it; in a browser, serve the page by https`)
  // Bytes of files and of typed arrays are never shared between threads here.
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
