import type { Tensor } from '@antipode/core'
import { adamw, cosineDecay, type Ema } from '@antipode/core/optim'
import {
  abortSignal, anObject, atLeast, flag, positive, type Ranges, required, whole,
} from '@antipode/core/options'
import { type CheckpointOptions, train, type TrainOptions, type TrainStep } from '@antipode/npo'

/** Options of everything that trains all parameters of models on a set of pictures. */
export interface FullTrainingOptions {
  /** Updates in all, those of a run that is continued included; whole, more than `warmup`. */
  readonly steps: number
  /** Pictures of a batch, whole, 1 to 1,024. */
  readonly batch?: number
  /** The highest, after the warm-up; it falls to 0 by a cosine. */
  readonly learningRate?: number
  /** Updates in which the learning rate rises from 0; 100 by default. */
  readonly warmup?: number
  /** 0.01 by default. */
  readonly weightDecay?: number
  /** Largest norm of all gradients together; 1 by default. */
  readonly clipNorm?: number
  /** Of the order of pictures and all that is drawn, whole, 0 or more; 0 by default. */
  readonly seed?: number
  readonly ema?: Ema
  readonly checkpoint?: CheckpointOptions
  /** Whether to continue what `checkpoint.path` holds; false by default. */
  readonly resume?: boolean
  readonly signal?: AbortSignal
}

export const fullTrainingRanges: Ranges<FullTrainingOptions> = {
  steps: required(whole(1)), batch: whole(1, 1024), learningRate: atLeast(0), warmup: whole(0), weightDecay: atLeast(0),
  clipNorm: positive, seed: whole(0), ema: anObject('an average of parameters, made by ema'),
  checkpoint: anObject('an object of options'), resume: flag, signal: abortSignal,
}

/**
 * Trains parameters as `train` of @antipode/npo does, by AdamW and a cosine after a warm-up.
 * @throws {ConfigError | CheckpointError} as `train` does
 */
export async function* trainFully<B>(
  parameters: ReadonlyMap<string, Tensor>,
  options: FullTrainingOptions & Required<Pick<FullTrainingOptions, 'learningRate'>>,
  maker: Pick<TrainOptions<B>, 'batch' | 'release' | 'loss'>,
): AsyncGenerator<TrainStep, void, void> {
  const { steps, learningRate: lr, warmup = 100, weightDecay = 0.01, clipNorm = 1 } = options
  const { ema, checkpoint, resume = false, signal } = options
  using optimizer = adamw({ lr, weightDecay })
  yield* train<B>({
    ...maker, parameters, optimizer, steps, clipNorm, resume, compile: true, schedule: cosineDecay({ warmup, steps }),
    ...(ema ? { ema } : {}),
    ...(checkpoint ? { checkpoint } : {}),
    ...(signal ? { signal } : {}),
  })
}
