export { type Case, cases, optionsOf, pipelineOfCase, type Recorded } from './case.ts'
