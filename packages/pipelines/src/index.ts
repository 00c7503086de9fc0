export { loadPipeline, type LoadPipelineOptions, type PipelineType } from './components/index.ts'
export * from './images/index.ts'
export { type PipelineTextualInversions, type PromptSyntax, type PromptTokenizer } from './prompt/index.ts'
export type { MemoryChoices, MemoryPlan, PhaseMemory, PipelineMemory } from './memory/index.ts'
export { reconstruct, type Reconstruction, type ReconstructOptions } from './reconstruct/index.ts'
export { type GenerateOptions, type ImagePrompt, type PerturbedBranch } from './request/index.ts'
export {
  type CallOptions,
  type Components,
  type DecodeOptions,
  type GeneratedImage,
  type Outputs,
  type Pipeline,
  type PipelineAdapters,
  type PipelineImagePrompts,
  type PipelineStep,
} from './run/index.ts'
export * from './stable-diffusion/index.ts'
export {
  type Pair,
  type SizeOptions,
  stableDiffusionXL,
  type StableDiffusionXLComponents,
  type StableDiffusionXLOptions,
} from './stable-diffusion-xl/index.ts'
