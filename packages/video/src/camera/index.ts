export { type Intrinsics, pluckerRays, type PluckerOptions } from './plucker-rays.ts'
export { type Matrix4, relativePoses } from './poses.ts'
