export type { Batch4Layout, Channels4Layout, PackedForms, PackedKernel, PackedLayout } from './contract.ts'
export { packingPays, packingTerms, type PackingTerms, type Work } from './packing-cost.ts'
export { packedForms } from './registry.ts'
