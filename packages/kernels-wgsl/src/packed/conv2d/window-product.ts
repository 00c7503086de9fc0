import { at } from '../../at.ts'
import { columnsOf, type Contraction, placeSteps, type Window } from '../../gemm/index.ts'
import type { Problem, Target } from '../../op.ts'
import { panelCount, rowBlock } from '../blocks.ts'
import type { PackedKernel } from '../contract.ts'
import { channels4Texels, packChannels4, packPanels, panelTexels } from '../operands/index.ts'
import { packingPays, texelsFit } from '../packing-cost.ts'
import { product } from '../product/index.ts'
import { phasesOf } from './phases.ts'

/** Whether a window reads a pixel outside of its image. */
function readsOutside({ cols: [, ...cols], sum: [, ...sum] }: Contraction, { size, offset, ...w }: Window): boolean {
  return size.some((n, axis) => {
    const first = at(offset, axis)
    const [across, along] = [(at(cols, axis) - 1) * at(w.cols, axis), (at(sum, axis) - 1) * at(w.sum, axis)]
    return first + Math.min(0, along) < 0 || first + across + Math.max(0, along) >= n
  })
}

/**
 * A contraction over windows of images as products of packed operands: panels of the left one, one a phase, and images of four channels a
 * texel, packed once, which every tap reads shifted. Undefined where that does not pay, and where taps are fewer than a dilation, which
 * leaves columns that no tap meets.
 */
export function windowProducts(label: string, problem: Problem, dtype: 'f32' | 'f16', c: Contraction, window: Window, target: Target): PackedKernel[] | undefined {
  const { rows, batch, cols: [images], sum: [channels, m1, m0] } = c
  const [sy, sx] = window.dilation ?? [1, 1]
  const pixels = window.size[0] * window.size[1]
  const work = { rows, cols: columnsOf(c), depth: channels * m1 * m0 / (sy * sx), batch, packed: batch * channels * (rows * m1 * m0 + images * pixels) }
  if (m1 < sy || m0 < sx || !packingPays(work, target)) return undefined
  const packed = { label, dtype, input: 0, texture: 0, groups: batch, channels, images, pixels } as const
  const texels = channels4Texels(packed)
  if (!texelsFit(target, texels + 1)) return undefined
  const kernels: PackedKernel[] = [packChannels4(packed, target)]
  const phases = phasesOf(c, window)
  for (const [k, { contraction, start }] of phases.entries()) {
    const { a, b: { window: w = window }, sum: [, turns, radix], cols: [, n1, n0], out } = contraction
    const left = {
      label, dtype, input: 1, texture: k + 1, batch, rows, width: rowBlock(rows, target).panel, panels: panelCount(rows, target), outer: turns * radix, length: channels,
      steps: { offset: start, batch: a.batch, row: a.row, radix, turns: [a.sum[1], a.sum[2]], element: a.sum[0] },
    } as const
    const leftTexels = panelTexels(left)
    if (!texelsFit(target, leftTexels)) return undefined
    kernels.push(packPanels(left, target), {
      // Of several, each meets its own taps at as many pixels.
      ...(phases.length > 1 && { share: left.outer }),
      ...product({
        label, problem, rows, cols: columnsOf(contraction), batch, outer: left.outer, inner: Math.ceil(channels / 4),
        a: { texture: k + 1, texels: leftTexels, batch: leftTexels / batch },
        b: {
          texture: 0, texels: texels + 1, offset: w.offset[0] * w.pitch + w.offset[1], batch: texels / batch,
          steps: [pixels, w.cols[0] * w.pitch, w.cols[1]], turnRadix: radix, turns: [w.sum[0] * w.pitch, w.sum[1]], step: images * pixels,
          ...(readsOutside(contraction, w) && { window: { size: w.size, offset: w.offset, steps: w.cols, turns: w.sum, zero: texels } }),
        },
        columns: { radix: [n1, n0] },
        out: {
          shape: out.shape,
          place: (strides) => {
            const { offset, batch: of, row, cols } = placeSteps(out, strides)
            return { offset, batch: of, steps: cols, row }
          },
        },
      }, target),
    })
  }
  return kernels
}
