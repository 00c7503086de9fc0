export { type AdapterSource, type ArmSettings, type EvalSettings, isDigits, type MetricSource, readEvalSettings } from './settings.ts'
