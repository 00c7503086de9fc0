export { type Intrinsics, pluckerRays, type PluckerOptions } from './plucker-rays.ts'
export { relativePoses } from './poses.ts'
