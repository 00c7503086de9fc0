export { loadPipeline, type LoadPipelineOptions, type PipelineType } from './load-pipeline.ts'
