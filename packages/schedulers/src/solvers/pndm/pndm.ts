import { choice, flag } from '../../config/index.ts'
import { combine, type Term } from '../../linear/index.ts'
import { meanSlope, mostSlopes } from '../../multistep/index.ts'
import { impliedNoise, predictedNoise } from '../../prediction/index.ts'
import { currentTimestep, solver, x0Of, type Solver } from '../../run/index.ts'
import { alphaBarAt, scheduleFields, scheduleOf, trainingLevel, type NoiseLevel, type ScheduleConfig } from '../../schedule/index.ts'
import { spacingFields } from '../../timesteps/index.ts'
import { pndmPlan, rungeKuttaCalls, type PndmPlanConfig } from './plan.ts'
import { transfer } from './transfer.ts'

/** The options of {@link pndm}, with the defaults of diffusers' PNDMScheduler. */
export interface PndmConfig extends ScheduleConfig, PndmPlanConfig {
  readonly predictionType: 'epsilon' | 'v_prediction'
  /** Whether the last step ends at ᾱ = 1 or at the table's first entry. */
  readonly setAlphaToOne: boolean
}

/**
 * Pseudo numerical methods: the exact step of DDIM along a mean of slopes ε, taken from the last four (PLMS). A run
 * starts by three Runge–Kutta steps of four calls each, or with `skipPrkSteps`, as Stable Diffusion has it, by one step
 * of two calls.
 *
 * It is of second order for a model of ε. For one of v it takes means of v and turns them into ε at the step's start, as
 * diffusers does, and is of first order. The hook on x₀ sees the clean sample that a mean implies. A run that begins at
 * a later step starts by the formula for as many slopes as it has.
 * @throws {ConfigError} on an unknown option or value
 * Source: PNDM, arXiv 2202.09778, equations 9, 11 and 13.
 */
export const pndm: Solver<PndmConfig> = /* @__PURE__ */ solver<PndmConfig>({
  name: 'pndm',
  classNames: ['PNDMScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...spacingFields('leading'),
    predictionType: choice('epsilon', ['epsilon', 'v_prediction']),
    skipPrkSteps: flag(false),
    setAlphaToOne: flag(false),
  }),
  setup(config, name) {
    const schedule = scheduleOf(config, 0)
    const finalAlphaBar = config.setAlphaToOne ? 1 : schedule.alphasCumprod[0]!
    const levelAt = (timestep: number): NoiseLevel => trainingLevel(schedule, timestep)

    return {
      schedule,
      levelAt,
      level: (state) => levelAt(currentTimestep(state)),
      plan: (request) => pndmPlan(name, config, schedule.trainSteps, request.by === 'count' ? request.count : 0),
      step(call) {
        const { linear, state, prediction, hooks } = call
        const { plan, step, slots, history } = state
        const { from, to } = { from: plan.extra!['from']![step]!, to: plan.previous![step]! }
        const first = plan.starts!.findLast((start) => start <= step)!
        const next = plan.starts!.find((start) => start > step) ?? plan.timesteps.length
        const [index, calls] = [step - first, next - first]
        const last = index === calls - 1
        const start = index === 0 ? call.sample : slots['sample']!
        // A step's first call is what later steps look back on.
        const slopes = index === 0 ? [...history, prediction].slice(-mostSlopes) : history

        // Runge and Kutta's four slopes, or the mean of two.
        const weight = calls === rungeKuttaCalls ? (index === 0 || last ? 1 / 6 : 1 / 3) : 1 / 2
        const weighted: Term<typeof prediction>[] = [[weight, prediction]]
        if (index > 0) weighted.unshift([1, slots['sum']!])
        const sum = calls > 1 ? combine(linear, weighted) : prediction
        const mean = calls === 1 ? combine(linear, meanSlope(slopes)) : last ? sum : prediction

        const here = levelAt(from)
        const x0 = x0Of({ ...call, prediction: mean, sample: start }, config, here)
        const epsilon =
          hooks?.x0 === undefined
            ? predictedNoise(linear, config.predictionType, here, mean, start)
            : impliedNoise(linear, here, x0, start)
        const weights = transfer(alphaBarAt(schedule, from), to < 0 ? finalAlphaBar : alphaBarAt(schedule, to))
        const moved = combine(linear, [
          [weights.sample, start],
          [weights.noise, epsilon],
        ])
        return { sample: moved, x0, history: slopes, slots: last ? {} : { sample: start, sum } }
      },
    }
  },
})
