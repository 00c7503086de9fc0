export * from './options.ts'
export * from './ranges.ts'
