export { writeDataSet, type DataSetReport, type WriteOptions } from './write-data-set.ts'
