export { openClip, originals, type Shapes, smallOriginal, sourceOf } from './original.ts'
export { entries, models, pipelineFiles } from './pipeline-files.ts'
