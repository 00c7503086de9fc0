export { type Component, type Config, type LoadProgress, type OpenCheckpoint } from './checkpoint.ts'
export { type Family, familyNames, identify, type Identity, widths } from './identify.ts'
export { configFile, libraryOf, tokenizerFiles, weightStems } from './layout.ts'
export { type CheckpointSource, openCheckpoint, type OpenCheckpointOptions } from './open-checkpoint.ts'
