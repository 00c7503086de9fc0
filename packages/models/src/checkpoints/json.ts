import type { Config } from './checkpoint.ts'
import { refuse } from './refuse.ts'

/** A text as the object of JSON that it must be. @param label names it @throws {CheckpointError} */
export function parseConfig(label: string, text: string): Config {
  const value = parse(label, text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Config // an object
  return wrong(label, text)
}

function parse(label: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return wrong(label, text, { cause })
  }
}

function wrong(label: string, text: string, options?: ErrorOptions): never {
  return refuse(`${label} to be an object of JSON`, JSON.stringify(text.slice(0, 40)), 'download it again', options)
}
