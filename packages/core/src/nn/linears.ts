import { byteSize, flatConcat, flatOffsets, inBlocks } from '@antipode/kernels-wgsl'
import { linear } from '../functional/index.ts'
import { apply1, type Tensor } from '../graph/index.ts'
import type { LinearLayer } from './layer.ts'

/** Bytes that any adapter binds as one buffer. */
const bindable = 2 ** 27

/**
 * What each of several layers makes of the same x `[..., in]`, as terms to be added up: `[..., out]`, and perhaps a
 * bias `[out]`. It takes one product, whose weights are moved together in memory the first time, instead of one a
 * layer. Layers whose weights are in blocks, cannot lie end to end or are more than 128 MiB together run one by one, and so do all
 * where one is more than a product, such as with an adapter on.
 */
export function linears(layers: readonly LinearLayer[], x: Tensor): (readonly Tensor[])[] {
  const products = layers.flatMap((layer) => layer.affine?.() ?? [])
  const alike = products.length === layers.length && layers.length > 1
  const weight = alike ? joined(products.map((p) => p.weight), x) : undefined
  if (!weight) return layers.map((layer) => [layer.forward(x)])
  const y = linear(x, weight)
  let end = 0
  return products.map(({ weight: { shape: [rows = 0] }, bias }) => {
    const start = end
    end += rows
    return [...(bias ? [bias] : []), y.slice(-1, start, end)]
  })
}

/** Weights `[out, in]` as one, `[Σ out, in]`; undefined where they cannot lie so. */
function joined(weights: readonly Tensor[], x: Tensor): Tensor | undefined {
  const width = x.shape.at(-1) ?? 0
  const { starts } = flatOffsets(weights.map((w) => w.size))
  let rows = 0
  for (const [k, { shape, dtype }] of weights.entries()) {
    // Those in blocks are made numbers one by one, so that few are there at once.
    if (inBlocks(dtype) || starts[k] !== rows * width || shape[1] !== width || dtype !== weights[0]?.dtype) return undefined
    rows += shape[0] ?? 0
  }
  if (rows * width * byteSize(x.dtype) > bindable) return undefined
  return apply1(flatConcat, weights).slice(0, 0, rows * width).reshape([rows, width])
}
