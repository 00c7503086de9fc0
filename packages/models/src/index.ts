export * from './files/index.ts'
export * from './keymaps/index.ts'
export { type ConfiguredModel, type ModelEntry, unet2DCondition } from './registry/index.ts'
export * from './unet/index.ts'
