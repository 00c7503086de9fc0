export { type BenchOptions, runBench } from './bench.ts'
export { runTune, type TuneOptions, tuneText } from './tune/index.ts'
export { benchText } from './bench-text.ts'
export type { WorkloadName } from './workloads.ts'
