import { attention, attentionGradKV, attentionGradQ } from '../attention/index.ts'
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../conv2d/index.ts'
import { matmul } from '../matmul/index.ts'
import { norm, normApply } from '../norm/index.ts'
import type { Op } from '../op.ts'
import { upsample } from '../upsample/index.ts'
import { packedAttention, packedAttentionGradKV, packedAttentionGradQ } from './attention.ts'
import type { PackedForms } from './contract.ts'
import { packedConv2d, packedConv2dInputGrad, packedConv2dWeightGrad } from './conv2d/index.ts'
import { packedMatmul } from './matmul.ts'
import { packedNorm, packedNormApply } from './norm/index.ts'
import { packedUpsample } from './upsample.ts'

/** The ops that have packed forms. */
const registry: ReadonlyMap<Op, PackedForms> = /* @__PURE__ */ new Map<Op, PackedForms>([
  [matmul, { kernels: packedMatmul }],
  [conv2d, { kernels: packedConv2d, packedInput: 0 }],
  [conv2dInputGrad, { kernels: packedConv2dInputGrad }],
  [conv2dWeightGrad, { kernels: packedConv2dWeightGrad, packedInput: 1 }],
  [attention, { kernels: packedAttention }],
  [attentionGradQ, { kernels: packedAttentionGradQ }],
  [attentionGradKV, { kernels: packedAttentionGradKV }],
  [norm, { write: packedNorm, rematerialise: normApply }],
  [normApply, { write: packedNormApply }],
  [upsample, { write: packedUpsample }],
])

/** What packing adds to an op; undefined of most. */
export function packedForms(op: Op): PackedForms | undefined {
  return registry.get(op)
}
