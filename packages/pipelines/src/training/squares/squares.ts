import { type Backend, ConfigError, type Tensor, tensor } from '@antipode/core'

/** Square pictures of one size with their captions, in the host's memory: 3·side² bytes each. */
export interface SquarePictures {
  /** `[N, 3, side, side]`, red, green and blue, 0 to 255. */
  readonly pictures: Uint8Array
  /** In pixels. */
  readonly side: number
  /** One or several for each picture. */
  readonly captions: readonly (readonly string[])[]
  /** What each picture shows, if things are to be drawn alike often rather than pictures. */
  readonly groups?: readonly string[]
}

/**
 * Some of the pictures as a model learns from them: `[B, 3, side, side]` in [−1, 1], which owns its memory.
 * @throws {ConfigError} if a place is none
 */
export function picturesAt(device: Backend, { pictures, side }: SquarePictures, places: readonly number[]): Tensor {
  const size = 3 * side * side
  const count = pictures.length / size
  const values = new Float32Array(places.length * size)
  for (const [i, place] of places.entries()) {
    if (!(Number.isInteger(place) && place >= 0 && place < count)) {
      throw new ConfigError(`picturesAt: expected places from 0 to ${count - 1}, got ${place}`)
    }
    const own = pictures.subarray(place * size, (place + 1) * size)
    for (let k = 0; k < size; k++) values[i * size + k] = (own[k] ?? 0) / 127.5 - 1
  }
  return tensor(device, values, [places.length, 3, side, side])
}
