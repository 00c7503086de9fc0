export { type ReconstructCommandOptions, type ReconstructResult, reconstructText, runReconstruct } from './reconstruct.ts'
