export { stableDiffusion, type StableDiffusionComponents } from './stable-diffusion.ts'
