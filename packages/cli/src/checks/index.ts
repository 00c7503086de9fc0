export { type BaseFile, readBaseFile } from './base-file.ts'
export {
  checkBench, checkConvert, checkDemo, checkGenerate, checkInspect, checkReconstruct, checkTrainBase,
  checkTrainPreference,
} from './checks.ts'
