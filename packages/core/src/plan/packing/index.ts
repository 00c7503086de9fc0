export { type PackedReaders, Packing, withoutPacking } from './packing.ts'
export { sharePacked } from './share.ts'
