export { type BaseFile, readBaseFile } from './base-file.ts'
export { checkBench, checkDemo, checkGenerate, checkInspect, checkTrainBase, checkTrainPreference } from './checks.ts'
