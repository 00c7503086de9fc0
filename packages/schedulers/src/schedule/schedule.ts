import { refuse, refuseConfig, show } from '../errors.ts'
import { below, choice, flag, integer, optionalNumbers, resolve, type Fields } from '../config/index.ts'
import { cumulativeProduct, interpolate, linspace32 } from '../numeric/index.ts'

/** How β grows over the training timesteps. */
export type BetaSchedule = 'linear' | 'scaled_linear' | 'squaredcos_cap_v2'

/**
 * What the model predicts: the noise ε, the velocity v = √ᾱ·ε − √(1−ᾱ)·x₀ (arXiv 2202.00512), or x₀ itself.
 * Flow models, which predict ε − x₀, are {@link ModelPrediction}.
 */
export type PredictionType = 'epsilon' | 'v_prediction' | 'sample'

/** Every prediction that some solver here understands. */
export type ModelPrediction = PredictionType | 'flow_prediction'

/** The forward process that a model was trained with. */
export interface ScheduleConfig {
  /** Number T of training timesteps, 1 to 10⁶. */
  readonly numTrainTimesteps: number
  /** β at timestep 0, in [0, 1). */
  readonly betaStart: number
  /** β at timestep T − 1, in [0, 1). */
  readonly betaEnd: number
  readonly betaSchedule: BetaSchedule
  /** β of each timestep, in [0, 1), which replaces the formula; T is then its length. */
  readonly trainedBetas: readonly number[] | null
  /** Rescales β so that the last timestep is pure noise (arXiv 2305.08891, algorithm 1). */
  readonly rescaleBetasZeroSnr: boolean
}

/** The tables of a forward process x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε, in float32 as models were trained with them. */
export interface Schedule {
  readonly config: ScheduleConfig
  /** What a model learns to predict from x_t. */
  readonly predictionType: ModelPrediction
  /** Why samples are not noised by these tables alone, in words; undefined where they are. */
  readonly otherProcess?: string
  /** T. */
  readonly trainSteps: number
  /** β_t, [T]. */
  readonly betas: Float32Array
  /** ᾱ_t = Π (1 − β_s) over s ≤ t, [T], falling. */
  readonly alphasCumprod: Float32Array
}

/** Share of signal and of noise in a sample: x = signal·x₀ + noise·ε. */
export interface NoiseLevel {
  readonly signal: number
  readonly noise: number
}

/** The smallest ᾱ that keeps σ finite: float16's smallest subnormal, σ = 4096. */
export const zeroSnrAlphaBar: number = 2 ** -24

/** The longest table of timesteps: far beyond any model's, and still a few megabytes. */
export const mostTimesteps: number = 1e6

/** The options of a noise schedule, with the defaults of a solver where they differ from DDPM's. */
export function scheduleFields({
  betaStart = 1e-4,
  betaEnd = 0.02,
  betaSchedule = 'linear',
}: Partial<Pick<ScheduleConfig, 'betaStart' | 'betaEnd' | 'betaSchedule'>> = {}): Fields<ScheduleConfig> {
  return {
    numTrainTimesteps: integer(1000, 1, mostTimesteps),
    betaStart: below(betaStart, 0, 1),
    betaEnd: below(betaEnd, 0, 1),
    betaSchedule: choice(betaSchedule, ['linear', 'scaled_linear', 'squaredcos_cap_v2']),
    trainedBetas: optionalNumbers(0, 1, mostTimesteps),
    rescaleBetasZeroSnr: flag(false),
  }
}

/** Options of {@link noiseSchedule}. */
export interface NoiseScheduleOptions extends Partial<ScheduleConfig> {
  /** What the model learns to predict; 'epsilon' by default. */
  readonly predictionType?: PredictionType
}

/**
 * The tables of a forward process.
 * @throws {ConfigError} on an unknown option or value
 * Sources: DDPM (arXiv 2006.11239) for 'linear', CompVis latent diffusion for 'scaled_linear', Improved DDPM
 * (arXiv 2102.09672, eq. 17) for 'squaredcos_cap_v2'.
 */
export function noiseSchedule(options: NoiseScheduleOptions = {}): Schedule {
  const predictionType = choice('epsilon', ['epsilon', 'v_prediction', 'sample'])
  return scheduleOf(resolve('noiseSchedule', { ...scheduleFields(), predictionType }, options), 0)
}

/** A checked configuration, and what a solver's may say besides of how its model was trained. */
type TrainedConfig = ScheduleConfig & { readonly predictionType?: ModelPrediction; readonly useFlowSigmas?: boolean }

/**
 * The tables of a checked configuration.
 * @param terminal ᾱ of the last timestep under rescaleBetasZeroSnr: 0, or the tiny number that keeps σ finite
 */
export function scheduleOf(config: TrainedConfig, terminal: number): Schedule {
  const { predictionType = 'epsilon', useFlowSigmas = false } = config
  const flow = useFlowSigmas || predictionType === 'flow_prediction'
  const trained = config.trainedBetas
  const plain = trained === null ? betasByFormula(config) : Float32Array.from(trained)
  const betas = config.rescaleBetasZeroSnr ? zeroTerminalSnr(plain) : plain
  const alphasCumprod = cumulativeProduct(betas.map((beta) => 1 - beta))
  if (!alphasCumprod.every((alphaBar) => alphaBar >= 0 && alphaBar < 1)) {
    refuseBetas('noiseSchedule', betas, 'raise betaStart, and use several timesteps with rescaleBetasZeroSnr')
  }
  if (config.rescaleBetasZeroSnr) alphasCumprod[betas.length - 1] = terminal
  const process = flow ? { otherProcess: 'a flow, x = (1 − σ)·x₀ + σ·ε' } : {}
  return Object.freeze({ config, predictionType, ...process, trainSteps: betas.length, betas, alphasCumprod })
}

function betasByFormula(config: ScheduleConfig): Float32Array {
  const { numTrainTimesteps: count, betaStart, betaEnd } = config
  switch (config.betaSchedule) {
    case 'linear':
      return linspace32(betaStart, betaEnd, count)
    case 'scaled_linear':
      return linspace32(Math.sqrt(betaStart), Math.sqrt(betaEnd), count).map((root) => root * root)
    case 'squaredcos_cap_v2': {
      const alphaBar = (time: number): number => Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2
      return Float32Array.from({ length: count }, (_, i) =>
        Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
      )
    }
    default:
      return config.betaSchedule satisfies never
  }
}

/** Shifts and scales √ᾱ so that it ends at 0 and starts where it did; every operation rounds to float32. */
function zeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeProduct(betas.map((beta) => 1 - beta)).map(Math.sqrt)
  const [first, last] = [roots[0]!, roots.at(-1)!]
  const scale = Math.fround(first / Math.fround(first - last))
  const alphaBars = roots.map((root) => Math.fround(root - last)).map((root) => root * scale).map((root) => root * root)
  return alphaBars.map((alphaBar, i) => 1 - Math.fround(i === 0 ? alphaBar : alphaBar / alphaBars[i - 1]!))
}

/**
 * σ_t = √((1 − ᾱ_t)/ᾱ_t), the ratio of noise to signal, [T], rising; each operation rounds to float32.
 * @throws {ConfigError} where some ᾱ_t is 0 and σ_t infinite
 */
export function sigmaTable(solver: string, schedule: Schedule): Float32Array {
  const table = schedule.alphasCumprod.map((alphaBar) => Math.fround(1 - alphaBar) / alphaBar).map(Math.sqrt)
  if (table.every((sigma) => Number.isFinite(sigma) && sigma > 0)) return table
  return refuseBetas(solver, schedule.betas, 'set rescaleBetasZeroSnr for a schedule that ends in pure noise')
}

function refuseBetas(where: string, betas: Float32Array, advice: string): never {
  return refuseConfig(where, 'every beta in (0, 1)', `${betas[0]} to ${betas.at(-1)}`, advice)
}

/** The level at a training timestep, a whole number in [0, T). */
export function trainingLevel(schedule: Schedule, timestep: number): NoiseLevel {
  const alphaBar = alphaBarAt(schedule, timestep)
  return { signal: Math.sqrt(alphaBar), noise: Math.sqrt(1 - alphaBar) }
}

/** ᾱ at a whole timestep in [0, T). */
export function alphaBarAt(schedule: Schedule, timestep: number): number {
  const alphaBar = Number.isInteger(timestep) ? schedule.alphasCumprod[timestep] : undefined
  if (alphaBar !== undefined) return alphaBar
  return refuseTimestep('a whole timestep', schedule.trainSteps, timestep)
}

/** σ at a timestep that may lie between two table entries. */
export function sigmaAt(sigmas: Float32Array, timestep: number): number {
  if (timestep >= 0 && timestep <= sigmas.length - 1) return interpolate(timestep, sigmas)
  return refuseTimestep('a timestep', sigmas.length, timestep)
}

function refuseTimestep(what: string, count: number, got: number): never {
  const advice = 'take timesteps from the plan, and check steps_offset'
  return refuse('schedule', `${what} from 0 to ${count - 1}`, show(got), advice)
}

/**
 * What a training loop multiplies a batch with: x_t = signal[b]·x₀[b] + noise[b]·ε[b], and for v-prediction
 * v = signal[b]·ε[b] − noise[b]·x₀[b].
 * @param timesteps one whole timestep in [0, T) per batch item
 * @returns √ᾱ and √(1−ᾱ), each [B]
 * @throws {SchedulerError} on a timestep out of range
 * @throws {ConfigError} if samples are noised in another way than by the tables
 */
export function noiseCoefficients(
  schedule: Schedule,
  timesteps: readonly number[],
): { signal: Float32Array; noise: Float32Array } {
  const { otherProcess } = schedule
  if (otherProcess !== undefined) {
    refuseConfig('noiseCoefficients', 'samples noised by a table of ᾱ', otherProcess, 'noise them as their model was trained')
  }
  const levels = timesteps.map((timestep) => trainingLevel(schedule, timestep))
  return {
    signal: Float32Array.from(levels, (level) => level.signal),
    noise: Float32Array.from(levels, (level) => level.noise),
  }
}
