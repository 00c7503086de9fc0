export type { Row } from './rows.ts'
export { type Summary, summaryOf } from './summary.ts'
export { type Pair, writeDataSet } from './write.ts'
