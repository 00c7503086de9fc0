export { type Component, type LoadProgress, type OpenCheckpoint } from './checkpoint.ts'
export { type Family, identify, type Identity } from './identify.ts'
export { type CheckpointSource, openCheckpoint, type OpenCheckpointOptions } from './open-checkpoint.ts'
