export { kdpm2Ancestral, type Kdpm2AncestralConfig } from './kdpm2-ancestral.ts'
