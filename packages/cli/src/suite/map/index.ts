export * from './tables.ts'
export * from './words.ts'
