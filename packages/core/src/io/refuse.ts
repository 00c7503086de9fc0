import { CheckpointError } from '../errors.ts'

/** @param label names the file @throws {CheckpointError} always */
export function refuse(label: string, expected: string, got: string, advice = 'download it again'): never {
  throw new CheckpointError(`readTensors: ${label}: expected ${expected}, got ${got}; ${advice}`)
}
