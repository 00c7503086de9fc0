import { type Backend, type Tensor, tensor } from '@antipode/core'
import type { Module } from '@antipode/core/nn'

/** Numbers by formula, so that golden files need hold no weights and no pictures. */
export function waves(device: Backend, name: string, shape: readonly number[], base: number, scale: number): Tensor {
  const hash = [...name].reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 100_003, 0)
  const size = shape.reduce((a, b) => a * b, 1)
  const values = Float32Array.from({ length: size }, (_, i) => base + scale * Math.sin(0.7310585 * i + 0.01 * hash))
  return tensor(device, values, shape)
}

/** Gives a model the parameters of the golden runs, by their names. */
export async function fillWithWaves(model: Module): Promise<void> {
  const filled = new Map<string, Tensor>()
  for (const [name, { shape }] of model.state()) {
    const inputs = shape.slice(1).reduce((a, b) => a * b, 1)
    const embeds = /embedding\.weight$|class_embedding$/.test(name)
    const [base, scale] = embeds ? [0, 0.5]
      : shape.length > 1 ? [0, 0.7 * Math.sqrt(2 / inputs)]
      : name.endsWith('.weight') ? [1, 0.1] : [0, 0.05]
    filled.set(name, waves(model.device, name, shape, base, scale))
  }
  await model.load(filled)
}
