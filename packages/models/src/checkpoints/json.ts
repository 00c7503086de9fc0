import { CheckpointError } from '@antipode/core'
import type { Config } from './checkpoint.ts'

/** A text as the object of JSON that it must be. @param label names it @throws {CheckpointError} */
export function parseConfig(label: string, text: string): Config {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Config // an object
  } catch (cause) {
    throw refuse(label, text, { cause })
  }
  throw refuse(label, text)
}

function refuse(label: string, text: string, options?: ErrorOptions): CheckpointError {
  const got = JSON.stringify(text.slice(0, 40))
  return new CheckpointError(`openCheckpoint: expected ${label} to be an object of JSON, got ${got}; download it again`, options)
}
