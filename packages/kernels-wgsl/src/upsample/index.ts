export * from './upsample.ts'
