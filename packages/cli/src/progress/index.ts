export { barProgress } from './bars.ts'
export { durationText } from './duration.ts'
export { lineProgress, type TextSink } from './lines.ts'
export { type ClosableProgress, type PhaseHandle, type Progress, silentProgress } from './progress.ts'
