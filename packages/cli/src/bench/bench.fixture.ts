import { type DispatchTime, type Profile, tuningTable } from '@antipode/core'
import type { BenchReport, Ceilings, KernelRow } from './bench-report.ts'
import { summarise } from './profile.ts'

/** Ceilings of 50 GFLOPS and 5 GB/s. */
export const ceilings: Ceilings = {
  flops: { perSecond: 50e9, by: 'matmul/f32/panels16' },
  bytes: { perSecond: 5e9, by: 'elementwise kernel' },
  copy: { perSecond: 20e9, by: 'copy command' },
  dispatchMilliseconds: 0.03,
}

const dispatch = (label: string, begin: number, end: number, flops: number, bytes: number): DispatchTime => ({ label, run: 0, begin, end, flops, bytes })

/** Two rounds of a product and a sum, by the clock of a machine that has run for a second. */
export const profile: Profile = {
  kernels: [
    { label: 'matmul/f32/panels16', dispatches: 2, milliseconds: 4, flops: 1e8, bytes: 2e6 },
    { label: 'fused/vec4/add(i0,i1)/a-label-longer-than-a-table-has-room-for/f32,f32>f32+', dispatches: 4, milliseconds: 1, flops: 0, bytes: 4e6 },
  ],
  dispatches: [
    dispatch('matmul/f32/panels16', 1002, 1004, 5e7, 1e6), dispatch('fused', 1004, 1004.25, 0, 1e6), dispatch('fused', 1004.25, 1004.5, 0, 1e6),
    dispatch('matmul/f32/panels16', 1007, 1009, 5e7, 1e6), dispatch('fused', 1009, 1009.25, 0, 1e6), dispatch('fused', 1009.25, 1009.5, 0, 1e6),
  ],
  host: [
    { phase: 'plan', begin: 1000, end: 1001 }, { phase: 'encode', begin: 1001, end: 1002 }, { phase: 'wait', begin: 1002, end: 1005 },
    { phase: 'encode', begin: 1006, end: 1007 }, { phase: 'wait', begin: 1007, end: 1010 },
  ],
}

const rate = { bytes: 2 ** 24, milliseconds: 2, gigabytesPerSecond: 8.4 }

/** A report of {@link profile}. */
export function benchReport(kernels?: readonly KernelRow[]): BenchReport {
  const summary = summarise(profile, { rounds: 2, ceilings })
  return {
    schemaVersion: 1,
    adapter: { vendor: 'mesa', architecture: 'software', device: 'llvmpipe', description: 'Mesa 25', software: true },
    target: { kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe },
    measured: { matmul: [], copy: rate, elementwise: rate, readback: rate, seconds: 3 },
    ceilings,
    profile: { workload: 'matmul', title: 'a product and a sum', milliseconds: 4.5, fastestMilliseconds: 4, profiledMilliseconds: 5, ...summary, kernels: kernels ?? summary.kernels },
    trace: null,
  }
}
