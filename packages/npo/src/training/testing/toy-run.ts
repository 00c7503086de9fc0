import { type Device, type Tensor, tensor } from '@antipode/core'
import { adamw, constantWithWarmup, ema, type Ema, type Optimizer } from '@antipode/core/optim'
import { denoising, type SampleBatch } from '../../objectives/index.ts'
import { drawNoise } from '../../process/index.ts'
import { schedule, ToyDenoiser } from '../../testing/toy.ts'
import { train, type TrainOptions, type TrainStep } from '../index.ts'

/** Steps of a {@link ToyRun}. */
export const toySteps = 40

/** A run small enough to repeat, with every part that a checkpoint must carry: AdamW, warm-up, clipping and averages. */
export class ToyRun implements Disposable {
  readonly model: ToyDenoiser
  readonly optimizer: Optimizer = adamw({ lr: 0.02 })
  readonly ema: Ema = ema(0.9)
  readonly #device: Device
  readonly #inputs: Readonly<Record<'samples' | 'condition', Tensor>>

  constructor(device: Device) {
    this.#device = device
    this.model = ToyDenoiser.of(device, 3, { width: 2, classes: 2, hidden: 8 })
    this.#inputs = {
      samples: tensor(device, [1, 0.5, 0.9, 0.6, -1, -0.5, -0.9, -0.6], [4, 2]),
      condition: tensor(device, [1, 0, 1, 0, 0, 1, 0, 1], [4, 2]),
    }
  }

  get options(): TrainOptions<SampleBatch<Tensor>> {
    return {
      parameters: this.model.state(),
      batch: (step) => ({ ...this.#inputs, ...drawNoise(this.#device, schedule, [4, 2], { seed: 7, step }) }),
      loss: (batch) => denoising<Tensor>().evaluate({ model: this.model.denoise }, batch),
      optimizer: this.optimizer,
      schedule: constantWithWarmup(5),
      clipNorm: 1,
      ema: this.ema,
      steps: toySteps,
    }
  }

  train(changes: Partial<TrainOptions<SampleBatch<Tensor>>> = {}): AsyncGenerator<TrainStep, void, void> {
    return train({ ...this.options, ...changes })
  }

  [Symbol.dispose](): void {
    for (const owned of [this.model, this.optimizer, this.ema]) owned[Symbol.dispose]()
    for (const t of Object.values(this.#inputs)) t.dispose()
  }
}
