import { ConfigError } from '../errors.ts'

const TWO32 = 4294967296

/**
 * Splits a seed into its low 32 and high 21 bits.
 *
 * @throws {ConfigError} if the seed is not an integer in [0, 2^53).
 */
export function splitSeed(op: string, seed: number): [low: number, high: number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`${op}: expected an integer seed in [0, 2^53), got ${seed}; pass for example { seed: 7 }`)
  }
  return [seed >>> 0, Math.floor(seed / TWO32)]
}

/** @throws {ConfigError} if `stream` is not an unsigned 32-bit integer. */
export function checkStream(op: string, stream: number): number {
  if (stream >>> 0 !== stream) {
    throw new ConfigError(`${op}: expected an integer stream in [0, 2^32), got ${stream}; number streams from 0`)
  }
  return stream
}

/** @throws {ConfigError} if `n` is not a length that a typed array can have. */
export function checkLength(op: string, n: number): number {
  if (!Number.isSafeInteger(n) || n < 0 || n > TWO32) {
    throw new ConfigError(`${op}: expected a length in [0, 2^32], got ${n}; pass the number of values to draw`)
  }
  return n
}
