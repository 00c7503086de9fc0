import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import {
  acceptedParts,
  checkFlow,
  dpmCoefficients,
  integrated,
  shiftedFlowFields,
  sigmasOfUpdate,
  type DpmAlgorithm,
} from '../../multistep/index.ts'
import {
  flowPredictionField,
  thresholdFields,
  type ModelPrediction,
  type ThresholdConfig,
} from '../../prediction/index.ts'
import { noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, vpSpace } from '../../sigmas/index.ts'
import { spacingFields } from '../../timesteps/index.ts'
import { dpmCourse, type DpmPlanConfig } from './plan.ts'

/** The options of {@link dpmSolverMultistep}, with the defaults of diffusers' DPMSolverMultistepScheduler. */
export interface DpmConfig extends DpmPlanConfig, ThresholdConfig {
  readonly predictionType: ModelPrediction
  readonly algorithmType: DpmAlgorithm
  /** Form of the second-order update. */
  readonly solverType: 'midpoint' | 'heun'
}

/**
 * DPM-Solver and DPM-Solver++ in multistep form: each step reuses the model outputs of the steps before, so it costs
 * one model call at any order. The default is DPM-Solver++(2M). The SDE algorithms draw noise at every step.
 *
 * solverOrder 3 is the reference's, which halves a second difference: it converges at second order, and 'sde-dpmsolver++'
 * at first. DEIS and the singlestep form are of true third order.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Sources: arXiv 2206.00927 and 2211.01095.
 */
export const dpmSolverMultistep: Solver<DpmConfig> = /* @__PURE__ */ solver<DpmConfig>({
  name: 'dpmSolverMultistep',
  classNames: ['DPMSolverMultistepScheduler'],
  refused: { variance_type: ['fixed_small', 'fixed_small_log', 'fixed_large', null] },
  fields: () => ({
    ...scheduleFields(),
    ...thresholdFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    ...shiftedFlowFields(),
    predictionType: flowPredictionField(),
    algorithmType: choice('dpmsolver++',
      ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'],
      { deis: 'dpmsolver++' },
    ),
    solverOrder: integer(2, 1),
    solverType: choice('midpoint', ['midpoint', 'heun'], {
      logrho: 'midpoint',
      bh1: 'midpoint',
      bh2: 'midpoint',
    }),
    lowerOrderFinal: flag(true),
    eulerAtFinal: flag(false),
    useLuLambdas: flag(false),
    finalSigmasType: choice('zero', ['zero', 'sigma_min']),
    lambdaMinClipped: numeric(-Infinity),
  }),
  setup(config, name) {
    checkTogether(name, config)
    const { algorithmType, solverType, predictionType, solverOrder } = config
    const space = vpSpace(name, config, config.useLuLambdas)
    const { levelOf, methods } = space
    const onData = algorithmType.endsWith('++')

    return {
      ...methods,
      accepts: acceptedParts(config, space),
      needsNoise: () => algorithmType.startsWith('sde'),
      plan: (request) => dpmCourse(name, config, space, request),
      step(call) {
        const { linear, state, sample } = call
        const here = methods.level(state)
        const x0 = x0Of(call, config, here)
        const newest = integrated(call, predictionType, here, x0, onData)
        const history = [...state.history, newest].slice(Math.max(state.history.length + 2 - solverOrder, 0))
        const sigmas = sigmasOfUpdate(config, state.plan, state.step, state.history.length + 1)
        if (sigmas === null) return { sample: combine(linear, [[1, sample]]), x0, history }
        const weights = dpmCoefficients(algorithmType, solverType, sigmas.map(levelOf))
        const outputs = [newest, ...state.history.toReversed()]
        const next = combine(linear, [
          [weights.sample, sample],
          ...weights.outputs.map((weight, k) => [weight, outputs[k]!] as const),
          ...noiseTerm(call, weights.noise),
        ])
        return { sample: next, x0, history }
      },
    }
  },
})

function checkTogether(name: string, config: DpmConfig): void {
  const { algorithmType, solverOrder, finalSigmasType, useLuLambdas, useFlowSigmas } = config
  checkCurves(name, config, { useLuLambdas, useFlowSigmas })
  checkFlow(name, config)
  const highest = algorithmType === 'sde-dpmsolver' ? 2 : 3
  if (solverOrder > highest) {
    refuseConfig(name, `solverOrder from 1 to ${highest}`, String(solverOrder), 'lower it')
  }
  if (!algorithmType.endsWith('++') && finalSigmasType === 'zero') {
    // The integral of ε has no end at σ = 0.
    refuseConfig(name, `finalSigmasType 'sigma_min' for ${algorithmType}`, "'zero'", 'set it')
  }
}
