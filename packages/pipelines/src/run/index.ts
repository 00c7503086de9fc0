export { type PipelineAdapters } from './adapters.ts'
export { type Components, type Conditions, type Family } from './family.ts'
export { type Outputs, type Pipeline, pipelineOf, type PipelineStep } from './pipeline.ts'
