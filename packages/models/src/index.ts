export * from './files/index.ts'
export * from './unet/index.ts'
