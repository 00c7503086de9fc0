import { conv2d, type Device, evaluate, randn, type Tensor } from '@antipode/core'
import type { Work } from '@antipode/kernels-wgsl'

/** One product to be timed either way. */
export interface Product {
  readonly name: string
  readonly work: Work
  readonly shapes: readonly (readonly number[])[]
  of(left: Tensor, right: Tensor): Tensor
}

function matmul(rows: number, depth: number, cols: number): Product {
  return {
    name: `matmul ${rows}×${depth}×${cols}`,
    work: { rows, cols, depth, batch: 1, packed: depth * (rows + cols) },
    shapes: [[rows, depth], [depth, cols]],
    of: (a, b) => a.matmul(b),
  }
}

/** 3×3, borders padded. */
function conv(batch: number, channels: number, side: number, filters: number): Product {
  const pixels = batch * side * side
  return {
    name: `conv ${batch}×${channels}×${side}×${side} to ${filters}`,
    work: { rows: filters, cols: pixels, depth: 9 * channels, batch: 1, packed: 9 * channels * filters + channels * pixels },
    shapes: [[batch, channels, side, side], [filters, channels, 3, 3]],
    of: (x, w) => conv2d(x, w, { padding: 1 }),
  }
}

/**
 * Products whose multiply-adds, elements and tails differ as much as can be, from where packing cannot pay to where it must:
 * squares, thin and deep ones, and the convolutions of small and larger networks.
 */
export function tuningProducts(software: boolean): readonly Product[] {
  const s = software ? 1 : 4
  return [
    matmul(8, 8, 8), matmul(64 * s, 64 * s, 64 * s), matmul(128 * s, 128 * s, 128 * s), matmul(256 * s, 256 * s, 256 * s), matmul(512 * s, 512 * s, 512 * s),
    matmul(16 * s, 512 * s, 512 * s), matmul(32 * s, 2048 * s, 32 * s), matmul(512 * s, 32 * s, 512 * s), matmul(77, 320, 320),
    conv(16 * s, 16, 8, 16), conv(16 * s, 32, 8, 32), conv(1, 64 * s, 32, 64 * s), conv(4 * s, 64, 16, 128), conv(2, 64 * s, 32, 64 * s),
  ]
}

/** Runs a product on leaves of its own, and hands a function that computes it once more. */
export async function onLeaves<T>(device: Device, { shapes, of }: Product, use: (once: () => Promise<void>) => Promise<T>): Promise<T> {
  const [left, right] = shapes.map((shape, seed) => randn(device, shape, { seed })) as [Tensor, Tensor] // a product has two
  try {
    await evaluate(left, right)
    return await use(async () => {
      using result = of(left, right)
      await evaluate(result)
    })
  } finally {
    left.dispose()
    right.dispose()
  }
}
