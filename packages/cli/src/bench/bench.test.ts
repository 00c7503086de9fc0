import { expect, test } from 'vitest'
import { benchReport, ceilings, profile } from './bench.fixture.ts'
import { benchText } from './bench-text.ts'
import { summarise } from './profile.ts'
import { chromeTrace } from './trace.ts'

test('a profile of several rounds is the mean of one, with rates as shares of the ceilings', () => {
  const { kernels, ...rest } = summarise(profile, { rounds: 2, ceilings })
  expect(rest).toEqual({
    rounds: 2, gpuMilliseconds: 2.5, dispatches: 3, flops: 5e7, bytes: 3e6,
    host: { plan: 0.5, compile: 0, encode: 1, wait: 3 },
  })
  expect(kernels[0]).toEqual({
    label: 'matmul/f32/panels16', dispatches: 1, milliseconds: 2, share: 0.8, flops: 5e7, bytes: 1e6,
    flopsPerSecond: 25e9, bytesPerSecond: 5e8, ofFlops: 0.5, ofBytes: 0.1,
  })
  expect(kernels[1]).toMatchObject({ dispatches: 2, share: 0.2, flopsPerSecond: 0, ofFlops: 0, ofBytes: 0.8 })
})

test('nothing on the GPU, or too short for its clock, has no rates', () => {
  expect(summarise({ kernels: [], dispatches: [], host: [] }, { rounds: 1, ceilings })).toMatchObject({ gpuMilliseconds: 0, kernels: [] })
  const [row] = summarise({ kernels: [{ label: 'k', dispatches: 1, milliseconds: 0, flops: 1, bytes: 1 }], dispatches: [], host: [] }, { rounds: 1, ceilings }).kernels
  expect(row).toMatchObject({ share: 0, flopsPerSecond: 0, bytesPerSecond: 0 })
})

test('the text is a table that lines up', () => {
  expect(benchText(benchReport())).toBe(`Adapter
  name         llvmpipe, on the CPU
  tuning       lavapipe: llvmpipe of Mesa 25.0 on two cores: products and convolutions of 1 to 1000 million multiply-adds; 0.6 µs a workgroup; products of 8 rows run at 39 GFLOPS beside 65

Ceilings
  arithmetic   50.0 GFLOPS    by matmul/f32/panels16
  memory       5.00 GB/s      by elementwise kernel
  copying      20.0 GB/s      by copy command
  a dispatch   0.0300 ms      at least, beside its work

Profile of matmul: a product and a sum
  a round      4.50 ms, the fastest 4.00; 5.00 ms while profiled (mean of 2)
  GPU          2.50 ms in 3 dispatches, 0.0500 GFLOP, 2.86 MiB
  CPU          plan 0.500, compile 0, encode 1.00, wait 3.00 ms

  kernel                                        calls     ms  of GPU  GFLOPS  of top   GB/s  of top
  matmul/f32/panels16                               1   2.00     80%    25.0     50%  0.500     10%
  fused/vec4/add(i0,i1)/a-label…r/f32,f32>f32+      2  0.500     20%                   4.00     80%
`)
})

test('kernels beyond the table are summed in one row, without rates', () => {
  const [, sum] = benchReport().profile.kernels
  if (!sum) throw new RangeError('the fixture has two kernels')
  const text = benchText(benchReport(Array.from({ length: 20 }, (_, i) => ({ ...sum, label: `k${i}`, share: 0.05 }))))
  expect(text).toMatch(/\n {2}k15 [^\n]*\n {2}4 others +8 +2\.00 +20% +\n$/)
})

test('a trace has a slice for each dispatch on one track and for each span of the host on the other, from zero', () => {
  const { traceEvents, otherData } = chromeTrace(profile, { workload: 'matmul' })
  expect(otherData).toEqual({ workload: 'matmul' })
  const slices = traceEvents.flatMap((e) => (e.ph === 'X' ? [e] : []))
  expect(traceEvents.filter((e) => e.ph === 'M').map((e) => e.args.name)).toEqual(['antipode bench', 'GPU', 'CPU'])
  expect(slices.length).toBe(6 + 5)
  expect(slices.find((e) => e.tid === 1)).toEqual({
    ph: 'X', name: 'matmul/f32/panels16', cat: 'dispatch', pid: 1, tid: 1, ts: 2000, dur: 2000, args: { run: 0, flops: 5e7, bytes: 1e6 },
  })
  expect(slices.filter((e) => e.tid === 2).map((e) => [e.name, e.ts, e.dur])).toEqual([
    ['plan', 0, 1000], ['encode', 1000, 1000], ['wait', 2000, 3000], ['encode', 6000, 1000], ['wait', 7000, 3000],
  ])
})
