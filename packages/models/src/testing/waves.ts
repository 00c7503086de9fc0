import { type Tensor, tensor, type Backend } from '@antipode/core'

/** Numbers by formula, so that golden files need hold no weights; tools/golden/waves.py has the same. */
export function waves(host: Backend, name: string, shape: readonly number[], base: number, scale: number): Tensor {
  const hash = [...name].reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 100003, 0)
  const n = shape.reduce((a, b) => a * b, 1)
  const wave = (i: number): number => base + scale * Math.sin(0.7310585 * i + 0.01 * hash)
  return tensor(host, Float32Array.from({ length: n }, (_, i) => wave(i)), shape)
}

/** The numbers of a parameter of this name. */
export function waveParameter(host: Backend, name: string, shape: readonly number[]): Tensor {
  const inputs = shape.slice(1).reduce((a, b) => a * b, 1)
  if (shape.length > 1) return waves(host, name, shape, 0, 0.7 * Math.sqrt(2 / inputs))
  return name.endsWith('.weight') ? waves(host, name, shape, 1, 0.1) : waves(host, name, shape, 0, 0.05)
}
