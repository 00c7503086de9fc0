export { type PackedReaders, Packing, type TextureLayout } from './packing.ts'
export { sharePacked } from './share.ts'
