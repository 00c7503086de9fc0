import { at } from '../at.ts'
import { ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import { type ApplyOp, f32Bits, type Kernel, type Op, type Problem, type Spec, type Target, type Vjp } from '../op.ts'
import { broadcastShapes, computableFloat, element, input, refZeros, sameShape, shapeText, sizeOf } from '../shape.ts'
import { readView, reshape, viewOf } from '../view/index.ts'
import { assemble, divider, input as bind, mathHelpers, output, scratch } from '../wgsl/index.ts'

/** Attributes of {@link reduce}: the neighbouring axes `start` to `end` (exclusive) are reduced to size 1. */
export type ReduceAttrs = { readonly kind: 'sum' | 'mean' | 'max' | 'min'; readonly start: number; readonly end: number }

const wgslOf = {
  sum: { from: 0, merge: (s: string, v: string) => `${s} + ${v}`, lanes: 'subgroupAdd' },
  mean: { from: 0, merge: (s: string, v: string) => `${s} + ${v}`, lanes: 'subgroupAdd' },
  max: { from: -Infinity, merge: (s: string, v: string) => `larger(${s}, ${v})`, lanes: 'subgroupMax' },
  min: { from: Infinity, merge: (s: string, v: string) => `smaller(${s}, ${v})`, lanes: 'subgroupMin' },
} as const

/** What the merges call, on single numbers. */
const scalarHelpers = `alias V = f32; alias VI = i32; alias VB = bool;\n${mathHelpers.is_nan}${mathHelpers.ordered}${mathHelpers.larger}${mathHelpers.smaller}`

/** Rows longer than this are reduced in two rounds when there are too few of them to fill the machine. */
const splitLength = 8192

/** Rows up to this long are reduced by one invocation each: 200,000 rows of two take llvmpipe 0.6 in place of 3.2 ms. */
const shortRow = 16

/**
 * Sum, mean, maximum or minimum over neighbouring axes, which keep size 1. Sums accumulate in f32. One NaN makes its row NaN;
 * the maximum of nothing but −∞ is −∞.
 * @throws {ShapeError} if the range of axes is empty or out of range, or reduces no element with max or min
 */
export const reduce: Op<ReduceAttrs> = {
  name: 'reduce',
  infer(inputs, { kind, start, end }) {
    const x = input('reduce', inputs, 0)
    computableFloat('reduce', x)
    if (!(start >= 0 && start < end && end <= x.shape.length)) {
      throw new ShapeError(`reduce: expected axes within ${shapeText(x.shape)}, got ${start} to ${end}`)
    }
    if (sizeOf(x.shape.slice(start, end)) === 0 && kind !== 'sum') {
      throw new ShapeError(`reduce: ${kind} of no elements: axes ${start} to ${end} of ${shapeText(x.shape)} are empty`)
    }
    return [{ shape: x.shape.map((d, i) => (i >= start && i < end ? 1 : d)), dtype: x.dtype }]
  },
  kernels(problem, target) {
    const x = problem.inputs[0] as Spec
    const { start, end, kind } = problem.attrs
    const outer = sizeOf(x.shape.slice(0, start))
    const length = sizeOf(x.shape.slice(start, end))
    const inner = sizeOf(x.shape.slice(end))
    const scale = kind === 'mean' ? 1 / length : 1
    // Rows of a few elements leave most lanes of a subgroup without one.
    if (inner > 1 || length <= shortRow) return [columns(problem, target, outer, length, inner, scale)]
    if (length <= splitLength || outer >= 64) return [rows(problem, target, outer, length, length, scale)]
    const parts = Math.min(64, Math.ceil(length / 1024))
    return [
      rows(problem, target, outer * parts, Math.ceil(length / parts), length, 1, { parts }),
      rows(problem, target, outer, parts, parts, scale, { second: true }),
    ]
  },
  vjp<T>(call: ApplyOp<T>, { inputs, outputs, grads, attrs }: Vjp<T, ReduceAttrs>) {
    const [x] = inputs
    const [y] = outputs
    const g = grads[0]
    if (x === undefined || y === undefined || g === undefined) return []
    const shape = call.spec(x).shape
    const spread = (t: T): T => call(expand, [t], { shape })[0] as T
    if (attrs.kind === 'sum') return [spread(g)]
    if (attrs.kind === 'mean') return [spread(call.m.mul(g, 1 / sizeOf(shape.slice(attrs.start, attrs.end))))]
    // Equal extrema share the gradient, as in PyTorch's amax and amin.
    const mask = call.m.eq(x, spread(y))
    const count = call(reduce, [mask], { ...attrs, kind: 'sum' })[0] as T
    return [call.m.mul(mask, spread(call.m.div(g, count)))]
  },
  reference(inputs, attrs) {
    const x = input('reduce', inputs, 0)
    const out = refZeros(reduce.infer(inputs, attrs)[0]?.shape ?? [], x.dtype)
    const length = sizeOf(x.shape.slice(attrs.start, attrs.end))
    const inner = sizeOf(x.shape.slice(attrs.end))
    for (let o = 0; o < out.data.length; o++) {
      const base = Math.floor(o / inner) * length * inner + o % inner
      let s = attrs.kind === 'max' ? -Infinity : attrs.kind === 'min' ? Infinity : 0
      for (let i = 0; i < length; i++) {
        const v = element(x.data, base + i * inner)
        s = attrs.kind === 'max' ? Math.max(s, v) : attrs.kind === 'min' ? Math.min(s, v) : s + v
      }
      out.data[o] = attrs.kind === 'mean' ? s / length : s
    }
    return [out]
  },
}

/** Idea: one invocation an output, neighbouring invocations reading neighbouring columns. */
function columns({ inputs, attrs }: Problem<ReduceAttrs>, target: Target, outer: number, length: number, inner: number, scale: number): Kernel {
  const { from, merge } = wgslOf[attrs.kind]
  const dtype = inputs[0]?.dtype ?? 'f32'
  const byInner = divider('inner', inner, outer * inner)
  return assemble({
    label: `reduce/${attrs.kind}/${dtype}/columns`,
    dtype,
    params: { n: outer * inner, inner, count: length, 'scale: f32': f32Bits(scale), 'start: f32': f32Bits(from), ...byInner.params },
    storage: [bind(0, 'x'), output(0, 'out')],
    body: /* wgsl */ `${scalarHelpers}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var o = id.x; o < P.n; o += groups.x * WG) {
    let row = ${byInner.over('o')};
    let base = (row * P.count - row) * P.inner + o;
    var s = P.start;
    for (var i = 0u; i < P.count; i++) { s = ${merge('s', 'Acc(x[base + i * P.inner])')}; }
    out[o] = Scalar(s * P.scale);
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(outer * inner / 64), target), 1, 1],
    epilogue: null,
  })
}

/**
 * Idea: one workgroup a row, lanes striding along it. With subgroups the workgroup is one subgroup and its lanes are
 * merged by one instruction; without, 64 lanes meet in workgroup memory.
 * `parts` cuts each row into that many partial results in scratch; `second` reduces them.
 */
function rows(
  { inputs, attrs }: Problem<ReduceAttrs>,
  target: Target,
  count: number,
  length: number,
  total: number,
  scale: number,
  round: { parts?: number; second?: boolean } = {},
): Kernel {
  const { from, merge, lanes } = wgslOf[attrs.kind]
  const dtype = inputs[0]?.dtype ?? 'f32'
  const { parts = 0, second = false } = round
  const subgroups = target.subgroupSize > 0
  const wg = subgroups ? target.subgroupSize : 64
  // Lanes may leave a NaN out of their maximum, and never out of a sum.
  const together = from === 0 ? `${lanes}(s)` : `select(${lanes}(s), subgroupAdd(s), subgroupAny(is_nan(s)))`
  const partial = scratch(0, 4 * count * (second ? length : 1), second ? 'x' : 'out', 'f32')
  return assemble({
    label: `reduce/${attrs.kind}/${dtype}/rows${parts ? '/first' : second ? '/second' : ''}`,
    dtype,
    subgroups,
    params: { n: count, count: length, total, parts: Math.max(1, parts), 'scale: f32': f32Bits(scale), 'start: f32': f32Bits(from) },
    storage: second ? [partial, output(0, 'out')] : [bind(0, 'x'), parts ? partial : output(0, 'out')],
    body: /* wgsl */ `${scalarHelpers}
override WG: u32;
${subgroups ? '' : 'var<workgroup> part: array<f32, WG>;'}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.n; row += groups.x) {
    let begin = row % P.parts * P.count;
    let end = min(begin + P.count, P.total);
    let base = row / P.parts * P.total;
    var s = P.start;
    for (var i = begin + lane; i < end; i += WG) { s = ${merge('s', 'Acc(x[base + i])')}; }
    ${subgroups ? `s = ${together};` : `
    part[lane] = s;
    workgroupBarrier();
    for (var half = WG / 2u; half > 0u; half /= 2u) {
      if (lane < half) { part[lane] = ${merge('part[lane]', 'part[lane + half]')}; }
      workgroupBarrier();
    }
    s = part[0];
    workgroupBarrier();`}
    if (lane == 0u) { out[row] = ${parts ? 'f32' : 'Scalar'}(s * P.scale); }
  }
}
`,
    constants: { WG: wg },
    workgroups: [stridedGroups(count, target), 1, 1],
    epilogue: null,
  })
}

/** Attributes of {@link expand}. */
export type ExpandAttrs = { readonly shape: readonly number[] }

/** Repeats axes of size 1 without copying. @throws {ShapeError} if the shape does not broadcast to the new one */
export const expand: Op<ExpandAttrs> = {
  name: 'expand',
  infer(inputs, { shape }) {
    const x = input('expand', inputs, 0)
    if (!sameShape(broadcastShapes('expand', [x.shape, shape]), shape)) {
      throw new ShapeError(`expand: expected a shape that ${shapeText(x.shape)} broadcasts to, got ${shapeText(shape)}`)
    }
    return [{ shape, dtype: x.dtype }]
  },
  takesBlocks: true,
  view(v, { shape }) {
    const lead = shape.length - v.shape.length
    return { shape, offset: v.offset, strides: shape.map((_, i) => (i < lead || v.shape[i - lead] === 1 ? 0 : at(v.strides, i - lead))) }
  },
  vjp(call, { inputs, grads }) {
    const [x] = inputs
    const g = grads[0]
    return x === undefined || g === undefined ? [] : [sumTo(call, g, call.spec(x).shape)]
  },
  reference: ([x], attrs) => (x ? [readView(x, expand.view?.(viewOf(x), attrs))] : []),
}

/** Sums a gradient over the axes its tensor was broadcast along, so that it has the tensor's shape again. */
export function sumTo<T>(call: ApplyOp<T>, g: T, shape: readonly number[]): T {
  const from = call.spec(g).shape
  if (sameShape(from, shape)) return g
  const lead = from.length - shape.length
  const summed = (axis: number): boolean => axis < lead || (shape[axis - lead] === 1 && from[axis] !== 1)
  let out = g
  // Runs of neighbouring broadcast axes are summed at once.
  for (let end = from.length; end > 0; end--) {
    if (!summed(end - 1)) continue
    let start = end - 1
    while (start > 0 && summed(start - 1)) start--
    out = call(reduce, [out], { kind: 'sum', start, end })[0] as T
    end = start + 1
  }
  return sameShape(call.spec(out).shape, shape) ? out : call(reshape, [out], { shape })[0] as T
}
