import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import {
  acceptedParts,
  checkFlow,
  clippedCount,
  courseOf,
  integrated,
  ownLevels,
  shiftedFlowFields,
  type ShiftedFlowConfig,
} from '../../multistep/index.ts'
import { flowPredictionField, thresholdFields, type ModelPrediction, type ThresholdConfig } from '../../prediction/index.ts'
import { noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, spacedBeyond, vpSpace, type SigmaConfig } from '../../sigmas/index.ts'
import { callOrders, singlestepCoefficients, type SinglestepAlgorithm, type SinglestepOrderConfig } from './update.ts'

/** The options of {@link dpmSolverSinglestep}, with the defaults of diffusers' DPMSolverSinglestepScheduler. */
export interface DpmSinglestepConfig
  extends ScheduleConfig, SigmaConfig, ThresholdConfig, ShiftedFlowConfig, SinglestepOrderConfig {
  readonly predictionType: ModelPrediction
  readonly algorithmType: SinglestepAlgorithm
  /** Form of the updates of second and third order. */
  readonly solverType: 'midpoint' | 'heun'
  /** Leaves out timesteps with λ below this; −5.1 suits 'squaredcos_cap_v2'. */
  readonly lambdaMinClipped: number
}

/**
 * DPM-Solver and DPM-Solver++ in singlestep form: a step of order n calls the model n times, and each of its updates
 * begins at the step's start again. A plan counts calls, so n calls go as far as one step.
 *
 * Third order of 'sde-dpmsolver++' in the form 'heun' is the reference's, whose mean converges at first order: take
 * 'midpoint' there.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Sources: arXiv 2206.00927 and 2211.01095.
 */
export const dpmSolverSinglestep: Solver<DpmSinglestepConfig> = /* @__PURE__ */ solver<DpmSinglestepConfig>({
  name: 'dpmSolverSinglestep',
  classNames: ['DPMSolverSinglestepScheduler'],
  refused: { variance_type: ['fixed_small', 'fixed_small_log', 'fixed_large', null] },
  fields: () => ({
    ...scheduleFields(),
    ...thresholdFields(),
    ...sigmaFields(),
    ...shiftedFlowFields(),
    predictionType: flowPredictionField(),
    algorithmType: choice('dpmsolver++', ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver++'], { deis: 'dpmsolver++' }),
    solverOrder: integer(2, 1),
    solverType: choice('midpoint', ['midpoint', 'heun'], { logrho: 'midpoint', bh1: 'midpoint', bh2: 'midpoint' }),
    lowerOrderFinal: flag(false),
    finalSigmasType: choice('zero', ['zero', 'sigma_min']),
    lambdaMinClipped: numeric(-Infinity),
  }),
  setup(config, name) {
    checkTogether(name, config)
    const { algorithmType, solverType, predictionType } = config
    const space = vpSpace(name, config)
    const { table, levelOf, levelsAt, methods } = space

    return {
      ...methods,
      accepts: acceptedParts(config, space),
      needsNoise: () => algorithmType === 'sde-dpmsolver++',
      plan(request) {
        const spaced = (count: number): number[] => {
          const used = clippedCount(name, table, config.lambdaMinClipped)
          return spacedBeyond(name, { timestepSpacing: 'linspace', stepsOffset: 0 }, table.length, count, used)
        }
        const levels =
          ownLevels(name, config, table, request) ??
          (request.by === 'count' ? levelsAt(spaced(request.count)) : space.chosen(request))
        const course = courseOf(levels, config.finalSigmasType === 'zero' ? 0 : table[0]!)
        return { ...course, extra: { order: callOrders(config, course.timesteps.length) } }
      },
      step(call) {
        const { linear, state, sample } = call
        const { plan, step, history, slots } = state
        const here = methods.level(state)
        const x0 = x0Of(call, config, here)
        const newest = integrated(call, predictionType, here, x0, algorithmType !== 'dpmsolver')

        // A run that begins inside a step begins one there.
        const outputs = [...history, newest]
        const start = slots['start'] ?? sample
        // Of calls at one level the earliest counts: there is no slope over no length.
        const sigmas = plan.sigmas!.slice(step + 1 - outputs.length, step + 1)
        const used = sigmas.map((_, i) => i).filter((i) => i === 0 || sigmas[i] !== sigmas[i - 1]).toReversed()
        const levels = [plan.sigmas![step + 1]!, ...used.map((i) => sigmas[i]!)].map(levelOf)
        const weights = singlestepCoefficients(algorithmType, solverType, levels)
        const next = combine(linear, [
          [weights.sample, start],
          ...weights.outputs.map((weight, k) => [weight, outputs[used[k]!]!] as const),
          ...noiseTerm(call, weights.noise),
        ])
        const continues = (plan.extra!['order']![step + 1] ?? 1) > 1
        return { sample: next, x0, ...(continues ? { history: outputs, slots: { start } } : {}) }
      },
    }
  },
})

function checkTogether(name: string, config: DpmSinglestepConfig): void {
  const { algorithmType, solverOrder, finalSigmasType, useFlowSigmas } = config
  checkCurves(name, config, { useFlowSigmas })
  checkFlow(name, config)
  if (solverOrder > 3) refuseConfig(name, 'solverOrder from 1 to 3', String(solverOrder), 'lower it')
  if (algorithmType === 'dpmsolver' && finalSigmasType === 'zero') {
    // The integral of ε has no end at σ = 0.
    refuseConfig(name, "finalSigmasType 'sigma_min' for dpmsolver", "'zero'", 'set it')
  }
}
