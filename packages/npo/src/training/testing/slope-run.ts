import { type Backend, constant, type Tensor, tensor } from '@antipode/core'
import { type Ema, type Optimizer, sgd } from '@antipode/core/optim'
import { train, type TrainOptions, type TrainStep } from '../index.ts'

/** What the options of a {@link SlopeRun} may be besides its own. */
export type SlopeChanges = Partial<TrainOptions<number>>

/** SGD on `sum(w·c)` with c = [cos(step), 1, −¼], of three weights that anybody can follow by hand. */
export class SlopeRun implements Disposable {
  readonly w: Tensor
  readonly optimizer: Optimizer = sgd({ lr: 0.1 })
  readonly #owned: Disposable[]

  constructor(device: Backend, ema?: Ema) {
    this.w = tensor(device, [1, -2, 0.5], [3])
    this.#owned = [this.w, this.optimizer, ...(ema ? [ema] : [])]
  }

  /** Its steps, after each of which `seen` gets the weights. */
  async steps(changes: SlopeChanges, seen: (weights: readonly number[]) => void = () => undefined): Promise<TrainStep[]> {
    const made: TrainStep[] = []
    for await (const step of this.train(changes)) {
      made.push(step)
      seen([...await this.w.data()])
    }
    return made
  }

  train(changes: SlopeChanges): AsyncGenerator<TrainStep, void, void> {
    return train<number>({
      parameters: new Map([['w', this.w]]), optimizer: this.optimizer, steps: 14,
      batch: (step) => step,
      loss: (step) => ({ loss: this.slope(step), metrics: {} }),
      ...changes,
    })
  }

  /** The loss of a step. */
  slope(step: number): Tensor {
    return this.w.mul(constant(this.w.device, [Math.cos(step), 1, -0.25])).sum()
  }

  [Symbol.dispose](): void {
    for (const owned of this.#owned) owned[Symbol.dispose]()
  }
}
