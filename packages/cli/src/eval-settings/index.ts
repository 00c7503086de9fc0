export { type AdapterSource, type ArmSettings, type EvalSettings, isDigits, readEvalSettings } from './settings.ts'
