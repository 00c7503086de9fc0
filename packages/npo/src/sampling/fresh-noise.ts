import { randn, type Tensor, tensor } from '@antipode/core'
import type { NoiseStream } from '@antipode/schedulers'

/** The noise that a run adds on its way, call by call. */
export interface FreshNoise {
  draw(call: number): Tensor
  /** Where the stream stands, to begin another there. */
  readonly state: unknown
}

/**
 * Callers draw initial noise from small streams; were a step to draw the same one, it would add that very noise again.
 */
const firstStream = 2 ** 31

/**
 * Noise in the shape of a tensor, from a stream if there is one or else by seed and call.
 * @param from state of the stream to begin at
 */
export function freshNoise(
  { device, shape, size }: Tensor, seed: number, stream: NoiseStream<unknown> | undefined, from: unknown,
): FreshNoise {
  if (stream === undefined) {
    return { draw: (call) => randn(device, shape, { seed, stream: firstStream + call }), state: undefined }
  }
  let state = from ?? stream.begin()
  return {
    draw() {
      const drawn = stream.draw(state, size)
      state = drawn.state
      return tensor(device, drawn.values, shape)
    },
    get state() { return state },
  }
}
