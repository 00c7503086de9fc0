export { type Component, type Config, type LoadProgress, type OpenCheckpoint } from './checkpoint.ts'
export { folderAt, type ReadingOptions, readingOf } from './folder-at.ts'
export { type HubOptions } from './hub.ts'
export { type Family, familyNames, identify, type Identity, widths } from './identify.ts'
export { configFile, libraryOf, tokenizerFiles, weightStems } from './layout.ts'
export {
  checkpointRanges, type CheckpointSource, isOneFile, openCheckpoint, type OpenCheckpointOptions,
} from './open-checkpoint.ts'
export { originalState, type OriginalState } from './to-original.ts'
export { clipConfigs, unetConfigs } from './family-configs.ts'
