export { type PipelineAdapters } from './adapters.ts'
export { type Components, type Conditions, type Family } from './family.ts'
export { type GeneratedImage, type Outputs } from './outputs.ts'
export { type Pipeline, pipelineOf, type PipelineStep } from './pipeline.ts'
