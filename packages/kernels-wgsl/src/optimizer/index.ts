export { adamw, adamwHyper, type AdamwOptions } from './adamw.ts'
export { ema } from './ema.ts'
export { sgd, type SgdAttrs } from './sgd.ts'
