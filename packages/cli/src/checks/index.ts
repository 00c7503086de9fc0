export { type BaseFile, readBaseFile } from './base-file.ts'
export {
  checkBench, checkConvert, checkDemo, checkEval, checkGenerate, checkInspect, checkReconstruct, checkSuite, checkTrainBase,
  checkTrainOnline, checkTrainPictures, checkTrainPreference,
} from './checks.ts'
