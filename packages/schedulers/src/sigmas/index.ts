export { checkCurves, curvedSigmas, hasCurve, sigmaFields, timestepFinder, type SigmaConfig } from './curves.ts'
export { dynamicShift, imageMu, shiftSigma, stretchToTerminal, type DynamicShiftConfig } from './shift.ts'
export { sigmaSpace, type SigmaSpace } from './sigma-space.ts'
export { lambda, spacedBeyond, vpSpace, type Levels, type VpSpace } from './vp-space.ts'
