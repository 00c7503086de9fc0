export { type Case, cases, optionsOf, pipelineOfCase, type Recorded } from './case.ts'
export { expectDrawn, expectNear } from './drawn.ts'
export { expectRoundTrip } from './round-trip.ts'
