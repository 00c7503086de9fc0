export { deisMultistep, type DeisConfig } from './deis-multistep.ts'
