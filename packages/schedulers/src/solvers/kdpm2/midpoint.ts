import type { Fields } from '../../config/index.ts'
import { roundHalfEven } from '../../numeric/index.ts'
import { predictionField, type PredictionType } from '../../prediction/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, sigmaSpace, type SigmaConfig, type SigmaSpace } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of both midpoint methods, kdpm2 and kdpm2Ancestral. */
export interface Kdpm2Config extends ScheduleConfig, SpacingConfig, SigmaConfig {
  readonly predictionType: PredictionType
}

/** {@link Kdpm2Config} with the defaults of diffusers' KDPM2DiscreteScheduler and KDPM2AncestralDiscreteScheduler. */
export const midpointFields = (): Fields<Kdpm2Config> => ({
  ...scheduleFields({ betaStart: 0.00085, betaEnd: 0.012 }),
  ...spacingFields('linspace'),
  ...sigmaFields(),
  predictionType: predictionField(),
})

/** The levels that steps start from, σ as float32 holds it, before their middles are put between. @throws {ConfigError} on curves that exclude each other */
export function midpointSpace(name: string, config: Kdpm2Config): SigmaSpace {
  checkCurves(name, config)
  const space = sigmaSpace(name, config)
  return {
    ...space,
    levels(request) {
      const { sigmas, timesteps } = space.levels(request)
      return { sigmas: Array.from(Float32Array.from(sigmas)), timesteps: config.useKarrasSigmas ? timesteps.map(roundHalfEven) : timesteps }
    },
  }
}
