export { norm } from './norm.ts'
export { normApply } from './norm-apply.ts'
export { normInputGrad, normWeightGrad } from './norm-grad.ts'
export { activate, activationKey, type Geometry, geometry, meanOf, type NormAttrs, parametersOf } from './rows.ts'
