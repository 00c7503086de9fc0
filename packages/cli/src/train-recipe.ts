/** What `train base` holds fixed; only the number of steps is the user's. */
export const hyper = {
  batch: 64, learningRate: 2e-3, warmup: 200, weightDecay: 0.01, clipNorm: 1, labelDropout: 0.1, averageDecay: 0.999,
} as const

/** Steps of each model, unless the user says otherwise. */
export const defaultSteps = { 'digits-16': 4000, 'digits-28': 20_000 } as const

/** Steps that the user may ask for: the learning rate rises in the warm-up, and has yet to fall. */
export const stepLimits: { readonly low: number; readonly high: number } = { low: hyper.warmup + 1, high: 10_000_000 }
