import { type Backend, type Tensor, tensor } from '../graph/index.ts'
import type { Module } from '../nn/index.ts'

/**
 * Numbers by formula, so that golden files need hold no weights and no pictures; tools/golden/waves.py has the same:
 * `base + scale·sin(0.7310585·i + 0.01·hash(name))`.
 */
export function waves(device: Backend, name: string, shape: readonly number[], base: number, scale: number): Tensor {
  const hash = [...name].reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 100_003, 0)
  const size = shape.reduce((a, b) => a * b, 1)
  const values = Float32Array.from({ length: size }, (_, i) => base + scale * Math.sin(0.7310585 * i + 0.01 * hash))
  return tensor(device, values, shape)
}

/** The numbers of a parameter of this name in the golden runs. */
export function waveParameter(device: Backend, name: string, shape: readonly number[]): Tensor {
  const inputs = shape.slice(1).reduce((a, b) => a * b, 1)
  if (shape.length > 1) return waves(device, name, shape, 0, 0.7 * Math.sqrt(2 / inputs))
  return name.endsWith('.weight') ? waves(device, name, shape, 1, 0.1) : waves(device, name, shape, 0, 0.05)
}

/** Tables of the text towers of CLIP. */
const tables = /(token|position)_embedding\.weight$|class_embedding$/

/** Gives a model the parameters of the golden runs, by their names. @param embeds names that are filled as embeddings are */
export async function fillWithWaves<M extends Module>(model: M, embeds: RegExp = tables): Promise<M> {
  const { device } = model
  await model.load(new Map(Array.from(model.namedParameters(), ([name, { shape }]) => {
    return [name, embeds.test(name) ? waves(device, name, shape, 0, 0.5) : waveParameter(device, name, shape)]
  })))
  return model
}
