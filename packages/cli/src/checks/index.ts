export { type BaseFile, readBaseFile } from './base-file.ts'
export {
  checkBench, checkConvert, checkDemo, checkEval, checkGenerate, checkInspect, checkReconstruct, checkTrainBase,
  checkTrainOnline, checkTrainPreference,
} from './checks.ts'
