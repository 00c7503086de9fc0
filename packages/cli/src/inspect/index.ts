export { type InspectOptions, type InspectResult, runInspect } from './inspect.ts'
export { inspectText } from './inspect-text.ts'
