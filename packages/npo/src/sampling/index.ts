export type { StartOptions } from './beginning.ts'
export { sample, type SampleOptions, type SampleStep, sampleToEnd } from './sample.ts'
export { type KeptState, keepState, type SampleState } from './state.ts'
export { tensorLinear } from './tensor-linear.ts'
