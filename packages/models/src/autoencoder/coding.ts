import type { Tensor } from '@antipode/core'

/** How images are cut into tiles that overlap; where they do, the result goes over from one to the next. */
export interface Tiling {
  /** Side in pixels, of which whole latents are taken; by default that of the images which the model learnt from. */
  readonly size?: number
  /** Share of a tile that the next one covers as well, in [0, 1), of which whole latents are taken. */
  readonly overlap?: number
}

/** One direction of an autoencoder. */
export interface Coder {
  /** The function as its user called it. */
  readonly where: string
  /** Pixels for a latent along a side, of the input and of the output: one of the two is 1. */
  readonly from: number
  readonly to: number
  /** Latents of a side that is no whole number of them, in whole ones. */
  readonly round: (latents: number) => number
  /** What tiling is unless its user says otherwise. */
  readonly tiling: Required<Tiling>
  readonly run: (x: Tensor) => Tensor
}

/** What can be computed before what comes after it is asked for. */
export interface Part {
  readonly made: Tensor
  /** What nothing after it reads. */
  readonly spent: readonly Tensor[]
  /** Whether it is a tile or an image, rather than several put together. */
  readonly counts: boolean
}

/** Parts in the order in which they are computed, and at last the whole. */
export type Parts = Generator<Part, Tensor>
