export { betaQuantile } from './beta-quantile.ts'
export { cumulativeProduct, interpolate, linspace, linspace32, roundHalfEven } from './numeric.ts'
export { solveLinear } from './solve-linear.ts'
