export { openClip, originals, type Shapes, smallOriginal, sourceOf } from './original.ts'
export { edited, entries, models, pipelineFiles } from './pipeline-files.ts'
