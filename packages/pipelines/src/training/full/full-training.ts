import type { Tensor } from '@antipode/core'
import { adamw, type AdamwOptions, cosineDecay, type Ema } from '@antipode/core/optim'
import {
  abortSignal, anObject, atLeast, flag, listOf, positive, type Ranges, required, whole,
} from '@antipode/core/options'
import { type CheckpointOptions, type StopRule, train, type TrainOptions, type TrainStep } from '@antipode/npo'

/** Options of everything that trains all parameters of models on a set of pictures. */
export interface FullTrainingOptions {
  /** Updates in all, those of a run that is continued included; whole, more than `warmup`. */
  readonly steps: number
  /** Pictures of a batch, whole, 1 to 1,024. */
  readonly batch?: number
  /** The highest, after the warm-up; it falls to 0 by a cosine. */
  readonly learningRate?: number
  /** Updates in which the learning rate rises from 0, fewer than `steps`; a twentieth of them by default. */
  readonly warmup?: number
  /** Of all parameters alike, 0 or more. */
  readonly weightDecay?: number
  /** Largest norm of all gradients together; 1 by default. */
  readonly clipNorm?: number
  /** Of the order of pictures and all that is drawn, whole, 0 or more; 0 by default. */
  readonly seed?: number
  /** Takes the average of the parameters from the first update on. */
  readonly ema?: Ema
  /** What ends the run; see `train`. */
  readonly stop?: readonly StopRule[]
  readonly checkpoint?: CheckpointOptions
  /** Whether to continue what `checkpoint.path` holds; false by default. */
  readonly resume?: boolean
  readonly signal?: AbortSignal
}

export const fullTrainingRanges: Ranges<FullTrainingOptions> = {
  steps: required(whole(1)), batch: whole(1, 1024), learningRate: atLeast(0), warmup: whole(0), weightDecay: atLeast(0),
  clipNorm: positive, seed: whole(0), ema: anObject('an average of parameters, made by ema'),
  stop: listOf(anObject('a rule')),
  checkpoint: anObject('an object of options'), resume: flag, signal: abortSignal,
}

/** What a method has by default, where options say nothing else. */
interface Defaults extends Pick<AdamwOptions, 'betas' | 'eps'> {
  readonly learningRate: number
  readonly weightDecay: number
}

/**
 * Trains parameters as `train` of @antipode/npo does, by AdamW and a cosine after a warm-up.
 * @throws {ConfigError | CheckpointError} as `train` does
 */
export async function* trainFully<B>(
  parameters: ReadonlyMap<string, Tensor>,
  options: FullTrainingOptions,
  { learningRate, weightDecay, ...moments }: Defaults,
  maker: Pick<TrainOptions<B>, 'batch' | 'release' | 'loss'>,
): AsyncGenerator<TrainStep, void, void> {
  const { steps, warmup = Math.floor(steps / 20), clipNorm = 1, ema, stop, checkpoint, resume = false, signal } = options
  using optimizer = adamw({
    lr: options.learningRate ?? learningRate, weightDecay: options.weightDecay ?? weightDecay, ...moments,
  })
  yield* train<B>({
    ...maker, parameters, optimizer, steps, clipNorm, resume, compile: true, schedule: cosineDecay({ warmup, steps }),
    ...(ema ? { ema } : {}),
    ...(stop ? { stop } : {}),
    ...(checkpoint ? { checkpoint } : {}),
    ...(signal ? { signal } : {}),
  })
}
