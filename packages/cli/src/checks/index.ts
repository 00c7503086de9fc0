export { type BaseFile, readBaseFile } from './base-file.ts'
export { checkBench, checkDemo, checkGenerate, checkTrainBase, checkTrainPreference } from './checks.ts'
