export { loadPipeline, type LoadPipelineOptions } from './load-pipeline.ts'
