export { type Component, type Config, type LoadProgress, type OpenCheckpoint } from './checkpoint.ts'
export { configFile, libraryOf, tokenizerFiles, weightStems } from './layout.ts'
export { type Family, identify, type Identity } from './identify.ts'
export { type CheckpointSource, openCheckpoint, type OpenCheckpointOptions } from './open-checkpoint.ts'
