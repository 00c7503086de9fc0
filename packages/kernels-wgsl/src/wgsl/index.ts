export * from './kernel.ts'
export * from './lanes.ts'
export * from './weight.ts'
export * from './math.ts'
