export { type AdapterChoice, type GenerateCommandOptions, type GenerateResult, runGenerate } from './generate.ts'
