/** Ten steps of one model family; the final noise level 0 is left out of `sigmas`, as a request for steps wants it. */
export interface AlignedSteps {
  /** Falling training timesteps, for `{ timesteps }`. */
  readonly timesteps: readonly number[]
  /** Falling noise levels σ before each step, for `{ sigmas }`. */
  readonly sigmas: readonly number[]
}

/** {@link alignYourSteps}, by model family. */
export interface AlignYourSteps {
  readonly stableDiffusion: AlignedSteps
  readonly stableDiffusionXl: AlignedSteps
  /** Its model is told ¼·ln σ, so there are no timesteps. */
  readonly stableVideoDiffusion: Pick<AlignedSteps, 'sigmas'>
}

/**
 * Where ten steps lie best for three families of models: `scheduler.begin(…)` takes either list of a family.
 * Source: Sabour et al., "Align your steps", arXiv 2404.14507; values as published with it by NVIDIA.
 */
export const alignYourSteps: AlignYourSteps = {
  stableDiffusion: {
    timesteps: [999, 850, 736, 645, 545, 455, 343, 233, 124, 24],
    sigmas: [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152],
  },
  stableDiffusionXl: {
    timesteps: [999, 845, 730, 587, 443, 310, 193, 116, 53, 13],
    sigmas: [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113],
  },
  stableVideoDiffusion: { sigmas: [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034] },
}
