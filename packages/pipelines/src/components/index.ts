export { loadPipeline, type LoadPipelineOptions, type PipelineType, pipelineTypes } from './load-pipeline.ts'
