export { kdpm2 } from './kdpm2.ts'
export { type Kdpm2Config, midpointFields, midpointSpace } from './midpoint.ts'
