import { conv2d, type Device, type DispatchTime, evaluate, randn } from '@antipode/core'
import type { Measurements } from '../doctor/index.ts'
import type { Ceiling, Ceilings } from './bench-report.ts'

/** Rounds of the kernels, the fastest dispatch of each counting, and milliseconds they may take together. */
const rounds = { least: 3, most: 20 } as const
const budget = 1000

/**
 * The best rates of an adapter: those that the doctor's measurements reach by the clock, or single dispatches of like work
 * by the GPU's timestamps, which leave packing and submission out and are what kernels are compared with.
 */
export async function measureCeilings(device: Device, measured: Measurements, signal: AbortSignal): Promise<Ceilings> {
  const size = measured.matmul[0]?.size ?? 512
  const [images, filters] = device.adapter.software ? [[4, 64, 32, 32], [64, 64, 3, 3]] : [[8, 320, 64, 64], [320, 320, 3, 3]]
  using a = randn(device, [size, size], { seed: 1 })
  using b = randn(device, [size, size], { seed: 2 })
  using x = randn(device, [measured.elementwise.bytes / 4], { seed: 3 })
  using image = randn(device, images, { seed: 4 })
  using filter = randn(device, filters, { seed: 5 })
  using one = randn(device, [1], { seed: 6 })
  await evaluate(a, b, x, image, filter, one)
  const { dispatches } = await device.profile(async () => {
    const until = performance.now() + budget
    for (let round = 0; round < rounds.least || round < rounds.most && performance.now() < until; round++) {
      signal.throwIfAborted()
      for (const y of [a.matmul(b), conv2d(image, filter, { padding: 1 }), x.mul(2), one.mul(2)]) {
        await evaluate(y)
        y.dispose()
      }
    }
  })
  return ceilingsOf(measured, dispatches)
}

/** The highest of what was measured by the clock and by timestamps. */
export function ceilingsOf({ matmul, copy, elementwise }: Measurements, dispatches: readonly DispatchTime[]): Ceilings {
  const products = matmul.filter(({ dtype }) => dtype === 'f32').map(({ gflops, size }): Ceiling =>
    ({ perSecond: gflops * 1e9, by: `matmul f32 of ${size}×${size}×${size}, whole` }))
  // The doctor counts a byte that is read and written once.
  const moved = ({ gigabytesPerSecond }: { readonly gigabytesPerSecond: number }, by: string): Ceiling => ({ perSecond: 2 * gigabytesPerSecond * 1e9, by })
  const timed = dispatches.filter(({ begin, end }) => end > begin)
  const rates = (of: 'flops' | 'bytes', among: readonly DispatchTime[]): Ceiling[] =>
    among.map((d) => ({ perSecond: d[of] / (d.end - d.begin) * 1e3, by: d.label }))
  return {
    flops: highest([...products, ...rates('flops', timed)]),
    bytes: highest([moved(elementwise, 'elementwise kernel'), ...rates('bytes', timed.filter(({ label }) => label.startsWith('fused/')))]),
    copy: moved(copy, 'copy command'),
    dispatchMilliseconds: timed.reduce((least, { begin, end }) => Math.min(least, end - begin), Infinity),
  }
}

function highest(ceilings: readonly Ceiling[]): Ceiling {
  return ceilings.reduce((a, b) => (b.perSecond > a.perSecond ? b : a), { perSecond: 0, by: 'nothing' })
}
