export { meanSlope, mostSlopes } from './adams-bashforth.ts'
export { dpmCoefficients, dpmIntegrals, type DpmAlgorithm, type DpmCoefficients } from './dpm-update.ts'
export { integrated } from './integrated.ts'
export {
  acceptedParts,
  checkFlow,
  clippedCount,
  courseOf,
  flowFields,
  ownLevels,
  shiftedFlowFields,
  type FlowConfig,
  type ShiftedFlowConfig,
} from './levels.ts'
export { exponentialMoments, multistepWeights } from './moments.ts'
export { sigmasOfUpdate, type OrderConfig } from './orders.ts'
