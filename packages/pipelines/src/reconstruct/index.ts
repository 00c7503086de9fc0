export { reconstruct, type Reconstruction, type ReconstructOptions } from './reconstruct.ts'
