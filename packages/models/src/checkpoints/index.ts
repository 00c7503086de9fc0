export { type Component, type Config, type LoadProgress, type OpenCheckpoint } from './checkpoint.ts'
export { type HubOptions } from './hub.ts'
export { type Family, familyNames, identify, type Identity, widths } from './identify.ts'
export { configFile, libraryOf, tokenizerFiles, weightStems } from './layout.ts'
export {
  checkpointRanges, type CheckpointSource, isOneFile, openCheckpoint, type OpenCheckpointOptions, readingOf,
} from './open-checkpoint.ts'
export { originalState, type OriginalState } from './to-original.ts'
export { clipConfigs, unetConfigs } from './family-configs.ts'
