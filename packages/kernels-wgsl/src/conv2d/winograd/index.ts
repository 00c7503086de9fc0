export * from './winograd.ts'
