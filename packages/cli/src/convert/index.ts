export { type ConvertCommandOptions, type ConvertResult, convertText, runConvert } from './convert.ts'
