import type { Kernel, Target } from '../op.ts'
import type { Gemm } from './problem.ts'
import { subgroupGemm } from './subgroup.ts'
import { tiledGemm } from './tiled.ts'

/** Picks the variant: one subgroup a workgroup on software adapters, tiles on GPUs. */
export function gemm(g: Gemm, target: Target): Kernel[] {
  return target.kind === 'software' && target.subgroupSize >= 4 ? [subgroupGemm(g, target.subgroupSize)] : tiledGemm(g, target)
}
