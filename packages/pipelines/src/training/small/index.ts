export { type ClipConfigs, type PipelineConfigs, smallClip, smallStableDiffusion } from './small-models.ts'
