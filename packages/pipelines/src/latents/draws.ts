import { type Backend, type Tensor, tensor } from '@antipode/core'
import { type NoiseStream, perItem, torchCpu } from '@antipode/schedulers'

/**
 * Unit normal noise, draw after draw from one stream: a picture depends on the order of its draws. It owns what it
 * drew.
 */
export class Draws implements Disposable {
  readonly #device: Backend
  readonly #stream: NoiseStream<unknown>
  #state: unknown
  readonly #drawn: Tensor[] = []
  /** Whether each image draws from a stream of its own. */
  readonly perImage: boolean

  /** The streams of diffusers' generators on the CPU. @param seed one for the batch, or one an image */
  constructor(device: Backend, seed: number | readonly number[]) {
    this.#device = device
    this.perImage = typeof seed !== 'number'
    this.#stream = (typeof seed === 'number' ? torchCpu(seed) : perItem(seed.map(torchCpu))) as NoiseStream<unknown> // states are handed back as they came
    this.#state = this.#stream.begin()
  }

  draw(shape: readonly number[]): Tensor {
    const { values, state } = this.#stream.draw(
      this.#state,
      shape.reduce((a, b) => a * b, 1),
    )
    this.#state = state
    const drawn = tensor(this.#device, values, shape)
    this.#drawn.push(drawn)
    return drawn
  }

  [Symbol.dispose](): void {
    for (const t of this.#drawn) t.dispose()
  }

  /** What is left of the stream, for the noise that solvers add on their way. */
  get rest(): NoiseStream<unknown> {
    const state = this.#state
    return { ...this.#stream, begin: () => state }
  }
}
