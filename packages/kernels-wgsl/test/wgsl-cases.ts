import {
  adamw, add, attention, attentionGradKV, attentionGradQ, type AttentionAttrs, type Attrs, type BlockType, blockTypes, cast, concat, conv2d, conv2dInputGrad, conv2dWeightGrad, dequantise, elementwise, ema,
  expand, fusedEpilogue, fusedKernel, gather, flatConcat, type Kernel, lower, matmul, norm, type NormAttrs, normInputGrad, normWeightGrad, type Op, packedForms, type PackedLayout,
  pad, philoxNormal, philoxUniform, putAlong, reduce, scatterAdd, sgd, silu, softmax, type Spec, type Step, takeAlong, type Target, topK, upsample,
  upsampleGrad, tuningTable,
} from '../src/index.ts'

/** What a kernel's text depends on beside the problem: one row an adapter that differs from the others. */
const targets = {
  gpu: { kind: 'gpu', f16: true, subgroupSize: 32, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: { ...tuningTable.gpu, unroll: 1 } },
  matrices: { kind: 'gpu', f16: true, subgroupSize: 32, textureRows: 0, matrices: true, workgroupBytes: 32_768, tuning: tuningTable.gpu },
  /** Without subgroups, and so few processors that large tiles fill it. */
  plain: { kind: 'gpu', f16: true, subgroupSize: 0, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: { ...tuningTable.gpu, unroll: 1, busy: 2 } },
  software: { kind: 'software', f16: true, subgroupSize: 4, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.software },
  /** llvmpipe as it is. */
  lavapipe: { kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe },
  /** Packs whatever can be, but transforms no tiles. */
  packing: {
    kind: 'software', f16: true, subgroupSize: 4, textureRows: 16_384, matrices: false, workgroupBytes: 32_768,
    tuning: { ...tuningTable.lavapipe, packing: { buffer: 1, texture: 0, element: 0, dispatches: 0 } },
  },
  /** Transforms tiles wherever it can. */
  tiling: {
    kind: 'software', f16: true, subgroupSize: 4, textureRows: 16_384, matrices: false, workgroupBytes: 32_768,
    tuning: { ...tuningTable.lavapipe, packing: { buffer: 1, texture: 0.01, element: 0, dispatches: 0 } },
  },
} as const satisfies Readonly<Record<string, Target>>

type TargetName = keyof typeof targets

/** A problem whose kernels are looked at, by the name of its file. */
export interface WgslCase {
  readonly name: string
  readonly kernels: readonly Kernel[]
}

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' })
const f16 = (...shape: number[]): Spec => ({ shape, dtype: 'f16' })
const u32 = (...shape: number[]): Spec => ({ shape, dtype: 'u32' })

/** An op's kernels on some adapters, each named by the problem and the adapter. */
function on<A extends Attrs>(names: readonly TargetName[], op: Op<A>, problem: string, inputs: readonly Spec[], attrs: A): WgslCase[] {
  const outputs = op.infer(inputs, attrs)
  return names.map((name) => ({ name: `${op.name}/${problem}.${name}`, kernels: lower(op, { inputs, outputs, attrs }, targets[name]) }))
}

/** The kernels by which an op writes its output packed. */
function written<A extends Attrs>(op: Op<A>, problem: string, inputs: readonly Spec[], attrs: A, layout: PackedLayout): WgslCase {
  const outputs = op.infer(inputs, attrs)
  return { name: `${op.name}/${problem}.${layout.kind}`, kernels: packedForms(op)?.write?.({ inputs, outputs, attrs }, layout, targets.packing) ?? [] }
}

/** A fused expression of steps in a chain, each of them on the one before, and on the inputs from the second on. */
function chain(ops: readonly Op[]): Step[] {
  return ops.map((op, k): Step => ({
    op, dtype: 'f32',
    args: Array.from({ length: op.pointwise?.arity ?? 1 }, (_, i) => (i > 0 ? { kind: 'input', index: i } : k > 0 ? { kind: 'step', index: k - 1 } : { kind: 'input', index: 0 })),
  }))
}

function fused(name: string, ops: readonly Op[], views: readonly { readonly strides: readonly number[]; readonly offset: number }[], shape: readonly number[]): WgslCase {
  const inputs = views.map((view) => ({ dtype: 'f32' as const, view }))
  return { name: `elementwise/${name}`, kernels: [fusedKernel({ inputs, scalars: [], steps: chain(ops), output: { shape, dtype: 'f32' } }, targets.gpu)] }
}

const flat = { strides: [1], offset: 0 }
const ofArity = (n: number): Op[] => Object.values(elementwise).filter((op) => op.pointwise?.arity === n)

function elementwiseCases(): WgslCase[] {
  const sum = elementwise['add'] as Op
  return [
    fused('unary', ofArity(1), [flat], [64]), fused('binary', ofArity(2), [flat, flat], [63]), fused('ternary', ofArity(3), [flat, flat, flat], [64]),
    fused('broadcast', [sum], [{ strides: [8, 1], offset: 0 }, { strides: [0, 1], offset: 0 }], [4, 8]),
    fused('transposed', [sum], [{ strides: [5, 1], offset: 0 }, { strides: [1, 3], offset: 0 }], [3, 5]),
    ...on(['gpu'], cast, 'to-bf16', [f32(8)], { dtype: 'bf16' }), ...on(['gpu'], cast, 'to-i32', [f32(8)], { dtype: 'i32' }),
  ]
}

const plain = { transposeA: false, transposeB: false } as const

/** A product with a bias and an activation in its last act. */
function withEpilogue(name: TargetName): WgslCase {
  const inputs = [f32(64, 64), f32(64, 64)]
  const outputs = matmul.infer(inputs, plain)
  const epilogue = fusedEpilogue({
    inputs: [{ dtype: 'f32', view: { strides: [0, 1], offset: 0 } }], scalars: [], output: f32(64, 64),
    steps: [
      { op: add, args: [{ kind: 'value' }, { kind: 'input', index: 0 }], dtype: 'f32' },
      { op: silu, args: [{ kind: 'step', index: 0 }], dtype: 'f32' },
    ],
  })
  return { name: `matmul/bias-silu.${name}`, kernels: lower(matmul, { inputs, outputs, attrs: plain, epilogue }, targets[name]) }
}

function productCases(): WgslCase[] {
  const [x, w] = [f32(1, 8, 8, 8), f32(8, 8, 3, 3)]
  const conv = { stride: [1, 1], padding: [1, 1, 1, 1], groups: 1 } as const
  const strided = { ...conv, stride: [2, 2] } as const
  const pointwise = { ...conv, padding: [0, 0, 0, 0] } as const
  return [
    ...on(['gpu', 'plain', 'software', 'packing'], matmul, 'square', [f32(64, 64), f32(64, 64)], plain),
    ...on(['matrices'], matmul, 'square', [f16(64, 64), f16(64, 64)], plain),
    ...on(['gpu'], matmul, 'transposed', [f32(64, 64), f32(64, 64)], { transposeA: true, transposeB: true }),
    ...on(['gpu', 'packing'], matmul, 'odd', [f32(13, 15), f32(15, 17)], plain),
    ...on(['software'], matmul, 'row', [f32(1, 64), f32(64, 64)], plain), ...on(['gpu'], matmul, 'long', [f32(8, 4096), f32(4096, 8)], plain),
    withEpilogue('gpu'), withEpilogue('packing'),
    ...on(['gpu', 'software', 'packing'], conv2d, '3x3', [x, w], conv), ...on(['tiling'], conv2d, 'tiles', [f32(2, 8, 12, 12), w], conv), ...on(['lavapipe'], conv2d, '1x1', [f32(2, 8, 8, 8), f32(8, 8, 1, 1)], pointwise),
    ...on(['packing'], conv2d, 'strided', [x, w], strided),
    ...on(['gpu', 'software', 'packing'], conv2dInputGrad, '3x3', [x, w], { ...conv, shape: [1, 8, 8, 8] }),
    ...on(['packing'], conv2dInputGrad, 'strided', [f32(1, 8, 4, 4), w], { ...strided, shape: [1, 8, 8, 8] }),
    ...on(['gpu', 'software', 'packing'], conv2dWeightGrad, 'few-images', [x, x], { ...conv, shape: [8, 8, 3, 3] }),
    ...on(['software', 'packing'], conv2dWeightGrad, 'many-images', [f32(16, 8, 8, 8), f32(16, 8, 8, 8)], { ...conv, shape: [8, 8, 3, 3] }),
  ]
}

function attentionCases(): WgslCase[] {
  const attrs: AttentionAttrs = { scale: 0.5, causal: false, hasMask: false, layout: 'BHND' }
  const masked: AttentionAttrs = { ...attrs, causal: true, hasMask: true }
  const qkv = (tokens: number, depth: number): Spec[] => [0, 1, 2].map(() => f32(1, 2, tokens, depth))
  const grads = (tokens: number, depth: number): Spec[] => [...qkv(tokens, depth), f32(1, 2, tokens, depth), f32(1, 2, tokens, 2), f32(1, 2, tokens)]
  return [
    ...on(['gpu', 'plain', 'software'], attention, 'heads', qkv(16, 8), attrs), ...on(['gpu'], attention, 'masked', [...qkv(16, 8), f32(1, 1, 16, 16)], masked),
    ...on(['gpu'], attention, 'many-keys', [f32(1, 1, 8, 8), f32(1, 1, 512, 8), f32(1, 1, 512, 8)], attrs), ...on(['packing'], attention, 'heads', qkv(512, 8), attrs),
    ...on(['gpu', 'software'], attentionGradQ, 'heads', grads(16, 8), attrs), ...on(['gpu', 'software'], attentionGradKV, 'heads', grads(16, 8), attrs),
    ...on(['gpu'], attentionGradKV, 'masked', [...grads(16, 8), f32(1, 1, 16, 16)], masked),
  ]
}

function normCases(): WgslCase[] {
  const group: NormAttrs = { groups: 2, eps: 1e-5, rms: false, affine: 'both', activation: 'silu' }
  const layer: NormAttrs = { groups: 1, eps: 1e-5, rms: false, affine: 'both' }
  const rms: NormAttrs = { groups: 1, eps: 1e-6, rms: true, affine: 'weight' }
  const grown = (channels: number, side: number): Spec[] => [f32(4, channels, side, side), f32(channels), f32(channels)]
  const [x, statistics] = [f32(4, 8, 8, 8), f32(4, 2)]
  const channels4 = (channels: number, side: number): PackedLayout => ({ kind: 'channels4', texture: 0, groups: 1, channels, images: 4, pixels: side * side })
  const normApply = packedForms(norm)?.rematerialise as Op<NormAttrs> // norms have one
  return [
    ...on(['gpu', 'plain', 'software'], norm, 'group', grown(8, 8), group), ...on(['gpu'], norm, 'layer', [f32(16, 12), f32(12), f32(12)], layer),
    ...on(['gpu'], norm, 'rms', [f32(16, 13), f32(13)], rms),
    ...on(['gpu'], normInputGrad, 'group', [x, x, f32(8), f32(8), statistics, statistics], group),
    ...on(['gpu'], normWeightGrad, 'planes', [x, x, statistics, statistics], group),
    ...on(['gpu'], normWeightGrad, 'columns', [f32(64, 12), f32(64, 12), f32(64, 1), f32(64, 1)], layer),
    written(norm, 'in-registers', grown(8, 4), group, channels4(8, 4)), written(norm, 'two-pass', grown(8, 8), group, channels4(8, 8)),
    written(norm, 'texel-groups', grown(12, 4), { ...group, groups: 4 }, channels4(12, 4)),
    written(normApply, 'group', [...grown(8, 8), statistics, statistics], group, { kind: 'batch4', texture: 0, images: 4, channels: 8, pixels: 64 }),
  ]
}

function movingCases(): WgslCase[] {
  const [x, y] = [f32(4, 6), f32(4, 2)]
  return [
    ...on(['gpu', 'plain'], softmax, 'rows', [f32(8, 40)], {}), ...on(['gpu'], softmax, 'odd-rows', [f32(8, 41)], {}),
    ...on(['gpu'], reduce, 'rows', [f32(8, 64)], { kind: 'sum', start: 1, end: 2 }), ...on(['gpu'], reduce, 'largest', [f32(8, 64)], { kind: 'max', start: 1, end: 2 }),
    ...on(['gpu'], reduce, 'columns', [f32(64, 8)], { kind: 'mean', start: 0, end: 1 }), ...on(['gpu'], reduce, 'long', [f32(1, 16_384)], { kind: 'mean', start: 1, end: 2 }),
    ...on(['gpu'], expand, 'rows', [f32(4, 1)], { shape: [4, 6] }), ...on(['gpu'], pad, 'columns', [x], { axis: 1, before: 1, after: 2 }),
    ...on(['gpu'], concat, 'columns', [x, y], { axis: 1 }), ...on(['gpu'], flatConcat, 'two', [x, y], {}),
    ...on(['gpu'], gather, 'rows', [f32(9, 8), u32(5)], {}), ...on(['gpu'], scatterAdd, 'rows', [f32(5, 8), u32(5)], { rows: 9 }),
    ...on(['gpu'], takeAlong, 'rows', [x, u32(4, 3)], {}), ...on(['gpu'], putAlong, 'rows', [f32(4, 3), u32(4, 3)], { size: 6 }),
    ...on(['gpu', 'plain'], topK, 'rows', [x], { k: 2, largest: true }),
    ...on(['gpu'], upsample, 'twice', [f32(1, 4, 4, 4)], { factor: 2 }), ...on(['gpu'], upsampleGrad, 'twice', [f32(1, 4, 8, 8)], { factor: 2 }),
    written(upsample, 'twice', [f32(1, 4, 4, 4)], { factor: 2 }, { kind: 'channels4', texture: 0, groups: 1, channels: 4, images: 1, pixels: 64 }),
    ...on(['gpu'], philoxUniform, 'flat', [u32(4)], { shape: [64] }), ...on(['gpu'], philoxNormal, 'flat', [u32(4)], { shape: [64] }),
    ...on(['gpu'], adamw, 'flat', [f32(64), f32(64), f32(64), f32(64), f32(8)], {}), ...on(['gpu'], sgd, 'flat', [f32(64), f32(64), f32(64), f32(4)], { nesterov: true }),
    ...(Object.keys(blockTypes) as BlockType[]).flatMap((dtype) => on(['gpu'], dequantise, dtype, [{ shape: [4, 256], dtype }], { dtype: 'f32' })),
    ...on(['gpu'], ema, 'flat', [f32(64), f32(64), f32(1)], {}),
  ]
}

/** Every variant of every op on a problem as small as can be. */
export function wgslCases(): WgslCase[] {
  return [...elementwiseCases(), ...productCases(), ...attentionCases(), ...normCases(), ...movingCases()]
}
