export { type AdapterChoice, type GenerateCommandOptions, type GenerateResult, runGenerate, type WordChoice } from './generate.ts'
