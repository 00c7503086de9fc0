export { type Case, cases, optionsOf, pipelineOfCase, type Recorded } from './case.ts'
export { expectDrawn } from './drawn.ts'
export { expectRoundTrip } from './round-trip.ts'
