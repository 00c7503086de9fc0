export { type PipelineConfigs, smallStableDiffusion } from './small-models.ts'
