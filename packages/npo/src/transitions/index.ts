export { levelAt, type StepCoefficients, stepCoefficients } from './step-coefficients.ts'
export { type StepLevels, stepLevels, stepLogProb, stepMean, type Transitions } from './transitions.ts'
