export { promptsOf } from './prompts.ts'
export {
  stableDiffusionXL,
  type StableDiffusionXLComponents,
  type StableDiffusionXLOptions,
} from './stable-diffusion-xl.ts'
export { type Pair, type SizeOptions } from './time-ids.ts'
