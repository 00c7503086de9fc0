export * from './comparisons.ts'
export * from './falsifiers.ts'
export * from './statistics.ts'
export * from './table.ts'
