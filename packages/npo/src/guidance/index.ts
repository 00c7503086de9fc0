export { apg, type ApgOptions } from './apg.ts'
export { autoguidance, type AutoguidanceOptions } from './autoguidance.ts'
export { cfg, type CfgOptions } from './cfg.ts'
export { cfgPlusPlus, type CfgPlusPlusOptions } from './cfg-plus-plus.ts'
export { cfgZeroStar, type CfgZeroStarOptions } from './cfg-zero-star.ts'
export { classifierFree, type ClassifierFreeOptions } from './classifier-free.ts'
export {
  type Branches, guided, type GuidedDenoiser, type GuidedOptions, type Perturbation,
} from './guided.ts'
export type { Guided, GuidanceCall, GuidancePoint, GuidanceState, Guider, Predictions } from './guider.ts'
export { interval, type IntervalOptions } from './interval.ts'
export { magnitudeAware, type MagnitudeAwareOptions } from './magnitude-aware.ts'
export { perFrame, type PerFrameOptions } from './per-frame.ts'
export { perturbed, type PerturbedOptions } from './perturbed.ts'
export { rescale, type RescaleOptions } from './rescale.ts'
export {
  cosineScale, linearScale, powerScale, type PowerScaleOptions, type ScaleRange, scheduled, type ScaleSchedule,
} from './scheduled.ts'
export {
  blurredWhereAttended, type BlurredOptions, selfAttentionGuidance, type SelfAttentionGuidanceOptions,
} from './self-attention.ts'
export { tangential, type TangentialOptions } from './tangential.ts'
