export { runTune, type TuneOptions } from './tune.ts'
export { tuneText } from './tune-text.ts'
