export { norm } from './norm.ts'
export { normInputGrad, normWeightGrad } from './norm-grad.ts'
export type { NormAttrs } from './rows.ts'
