import { refuse, refuseConfig } from '../errors.ts'
import { choice, numeric, type Fields } from '../config/index.ts'
import { combine } from '../linear/index.ts'
import { linspace, linspace32 } from '../numeric/index.ts'
import { currentSigma, x0Of, type Course, type PlanRequest, type SolverMethods, type StepCall } from '../run/index.ts'

/** The options of models that are preconditioned as Karras et al. have it. */
export interface EdmConfig {
  /** Levels that a run goes through, in units of the samples: its first, and the last before its end. */
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** Standard deviation of the data. */
  readonly sigmaData: number
  /** Evenly spaced in σ^(1/rho), or in ln σ. */
  readonly sigmaSchedule: 'karras' | 'exponential'
  readonly rho: number
  /** What the model's own output F is: 'v_prediction' has the opposite sign of 'epsilon', which is the paper's. */
  readonly predictionType: 'epsilon' | 'v_prediction'
  /** Whether the last step ends at σ = 0 or at sigmaMin, where it begins too. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
}

/** The options of preconditioned models. */
export function edmFields(): Fields<EdmConfig> {
  return {
    sigmaMin: numeric(0.002, 1e-6),
    sigmaMax: numeric(80, 1e-6),
    sigmaData: numeric(0.5, 1e-6),
    sigmaSchedule: choice('karras', ['karras', 'exponential']),
    rho: numeric(7, 1e-6),
    predictionType: choice('epsilon', ['epsilon', 'v_prediction']),
    finalSigmasType: choice('zero', ['zero', 'sigma_min']),
  }
}

/** What solvers for preconditioned models share: samples x = x₀ + σ·ε on levels of their own. */
export interface EdmSpace {
  plan(request: PlanRequest): Course
  /** x₀ from the model's output for `sample` at σ, hooked as configured. */
  clean<T>(call: StepCall<T>, sigma: number, sample: T): T
  /** The methods that do not depend on the solver, to be spread into its own. */
  readonly methods: Omit<SolverMethods<null>, 'plan' | 'step'>
}

/**
 * The levels and the preconditioning of models that are told c_noise = ¼·ln σ and see x·c_in.
 * @param single whether the Karras curve is computed in float32, as the reference does for one of its two solvers: the
 * last digits of what models are told depend on it
 * @throws {ConfigError} unless sigmaMin is below sigmaMax
 * Source: Karras et al., arXiv 2206.00364, equations 5 and 7 and table 1.
 */
export function edmSpace(
  name: string,
  config: EdmConfig & { readonly thresholding?: boolean },
  single: boolean,
): EdmSpace {
  const { sigmaMin, sigmaMax, sigmaData, rho } = config
  if (sigmaMin >= sigmaMax) refuseConfig(name, 'sigmaMin below sigmaMax', `${sigmaMin} and ${sigmaMax}`, 'swap them')
  const sign = config.predictionType === 'epsilon' ? 1 : -1
  const hooked = { predictionType: 'sample', thresholding: config.thresholding === true } as const

  const curve = (count: number): number[] => {
    if (config.sigmaSchedule === 'exponential') {
      return Array.from(linspace32(Math.log(sigmaMax), Math.log(sigmaMin), count), Math.exp)
    }
    const round = single ? Math.fround : Number
    const [first, last] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)]
    const ramp = single ? [...linspace32(0, 1, count)] : linspace(0, 1, count)
    return ramp.map((part) => round(round(first) + round(part * round(last - first))) ** rho)
  }
  // The curve's last level is sigmaMin but for rounding, which must not make the last step a rise.
  const lowest = (request: PlanRequest, last: number): number => (request.by === 'count' ? last : Math.min(last, Math.fround(sigmaMin)))
  return {
    plan(request) {
      if (request.by === 'count' && request.count === 1 && (config.sigmaSchedule === 'exponential' || config.finalSigmasType === 'sigma_min')) {
        // diffusers begins the one at sigmaMin, or ends it at the level that it began at.
        refuse(`${name}.timesteps`, "2 steps or more for 'exponential' levels and for an end at sigmaMin", '1', 'or pass { sigmas }')
      }
      const chosen = request.by === 'count' ? curve(request.count) : request.by === 'sigmas' ? request.sigmas : []
      const sigmas = chosen.map(Math.fround)
      return {
        timesteps: sigmas.map((sigma) => Math.fround(0.25 * Math.fround(Math.log(sigma)))),
        sigmas: [...sigmas, config.finalSigmasType === 'zero' ? 0 : lowest(request, sigmas.at(-1)!)],
      }
    },
    clean(call, sigma, sample) {
      const size = Math.hypot(sigma, sigmaData)
      // x₀ = c_skip·x + c_out·F
      const prediction = combine(call.linear, [
        [(sigmaData / size) ** 2, sample],
        [(sign * sigma * sigmaData) / size, call.prediction],
      ])
      return x0Of({ ...call, prediction, sample }, hooked, { signal: 1, noise: sigma })
    },
    methods: {
      schedule: null,
      accepts: ['sigmas'],
      level: (state) => ({ signal: 1, noise: currentSigma(state) }),
      levelAt: (timestep) => ({ signal: 1, noise: Math.exp(4 * timestep) }),
      inputScale: (state) => 1 / Math.hypot(currentSigma(state), sigmaData),
      initNoiseSigma: (plan) => Math.hypot(plan.sigmas![0]!, 1),
      // F = (x₀ − c_skip·x)/c_out
      velocity(timestep) {
        const sigma = Math.exp(4 * timestep)
        const size = sign * Math.hypot(sigma, sigmaData)
        return { noise: -sigmaData / size, clean: sigma / (sigmaData * size) }
      },
    },
  }
}
