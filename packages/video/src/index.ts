export * from './camera/index.ts'
export * from './inflate/index.ts'
export * from './temporal/index.ts'
