export { sample, type SampleOptions, type SampleStep, sampleToEnd } from './sample.ts'
