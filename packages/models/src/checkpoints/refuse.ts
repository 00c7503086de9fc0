import { CheckpointError } from '@antipode/core'

/** @throws {CheckpointError} always */
export function refuse(expected: string, got: string, advice: string, options?: ErrorOptions): never {
  throw new CheckpointError(`openCheckpoint: expected ${expected}, got ${got}; ${advice}`, options)
}
