export { type BaseFile, readBaseFile } from './base-file.ts'
export { checkBench, checkDemo, checkTrainBase, checkTrainPreference } from './checks.ts'
