import { at } from '../at.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import { bindingAlignment, byteSize, type Op, type Spec } from '../op.ts'
import { element, input, normaliseAxis, refZeros, sameDType, shapeText, sizeOf } from '../shape.ts'
import { readView, viewOf } from '../view/index.ts'
import { assemble, divider, input as bind, output } from '../wgsl/index.ts'

/** Throws unless the axis exists and is counted from the front, as the attributes of these ops are. */
function expectAxis(op: string, axis: number, rank: number): void {
  if (normaliseAxis(op, axis, rank) !== axis) throw new ShapeError(`${op}: expected an axis counted from the front, got ${axis}`)
}

/** Throws on bf16, whose elements share words, so that a copy by elements would have to take words apart. */
export function expectWholeWords(op: string, { dtype }: Spec): void {
  if (dtype === 'bf16') throw new DTypeError(`${op}: expected f32, f16, i32 or u32, got bf16; cast it with .to('f32')`)
}

/** Attributes of {@link slice}: elements `start` to `end` (exclusive) of one axis. */
export type SliceAttrs = { readonly axis: number; readonly start: number; readonly end: number }

/** A range of one axis. @throws {ShapeError} unless 0 ≤ start ≤ end ≤ size */
export const slice: Op<SliceAttrs> = {
  name: 'slice',
  infer(inputs, { axis, start, end }) {
    const x = input('slice', inputs, 0)
    expectAxis('slice', axis, x.shape.length)
    const size = at(x.shape, axis)
    if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= size)) {
      throw new ShapeError(`slice: expected 0 <= start <= end <= ${size} on axis ${axis}, got ${start} to ${end}`)
    }
    return [{ shape: x.shape.map((d, i) => (i === axis ? end - start : d)), dtype: x.dtype }]
  },
  view: (v, { axis, start, end }) => ({
    shape: v.shape.map((d, i) => (i === axis ? end - start : d)),
    strides: v.strides,
    offset: v.offset + start * at(v.strides, axis),
  }),
  vjp(call, { inputs, grads, attrs: { axis, start, end } }) {
    const [x] = inputs
    const g = grads[0]
    if (x === undefined || g === undefined) return []
    return [call(pad, [g], { axis, before: start, after: at(call.spec(x).shape, axis) - end })[0]]
  },
  reference: ([x], attrs) => (x ? [readView(x, slice.view?.(viewOf(x), attrs))] : []),
}

/** WGSL of the type that a copy moves at once. */
const elements = (width: number): string => `alias E = ${width === 4 ? 'vec4<Scalar>' : 'Scalar'};\n`

/** Attributes of {@link pad}: zeros put before and after one axis. */
export type PadAttrs = { readonly axis: number; readonly before: number; readonly after: number }

/** Zeros around one axis. @throws {ShapeError} if a count is negative @throws {DTypeError} if x is bf16 */
export const pad: Op<PadAttrs> = {
  name: 'pad',
  infer(inputs, { axis, before, after }) {
    const x = input('pad', inputs, 0)
    expectAxis('pad', axis, x.shape.length)
    expectWholeWords('pad', x)
    if (!(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0)) {
      throw new ShapeError(`pad: expected counts of 0 or more, got ${before} and ${after}`)
    }
    return [{ shape: x.shape.map((d, i) => (i === axis ? d + before + after : d)), dtype: x.dtype }]
  },
  kernels({ inputs, outputs, attrs: { axis, before } }, target) {
    const x = inputs[0] as Spec
    const out = outputs[0] as Spec
    const inner = sizeOf(x.shape.slice(axis + 1))
    const width = inner % 4 === 0 ? 4 : 1
    const n = sizeOf(out.shape) / width
    const [byInner, byPadded] = [divider('inner', inner / width, n), divider('padded', at(out.shape, axis), n)] as const
    return [assemble({
      label: `pad/${x.dtype}/${width}`,
      dtype: x.dtype,
      params: { n, size: at(x.shape, axis), padded: at(out.shape, axis), inner: inner / width, before, ...byInner.params, ...byPadded.params },
      storage: [bind(0, 'x', 'E'), output(0, 'out', 'E')],
      body: /* wgsl */ `
${elements(width)}override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let row = ${byInner.over('i')};
    let outer = ${byPadded.over('row')};
    let k = row - outer * P.padded - P.before;
    let ok = k < P.size;
    let value = x[select(0u, (outer * P.size + k) * P.inner + i - row * P.inner, ok)];
    out[i] = select(E(), value, ok);
  }
}
`,
      constants: { WG: 64 },
      workgroups: [stridedGroups(Math.ceil(n / 64), target), 1, 1],
      epilogue: null,
    })]
  },
  vjp(call, { inputs, grads, attrs: { axis, before } }) {
    const [x] = inputs
    const g = grads[0]
    if (x === undefined || g === undefined) return []
    return [call(slice, [g], { axis, start: before, end: before + at(call.spec(x).shape, axis) })[0]]
  },
  reference(inputs, attrs) {
    const x = input('pad', inputs, 0)
    const out = refZeros(pad.infer(inputs, attrs)[0]?.shape ?? [], x.dtype)
    const inner = sizeOf(x.shape.slice(attrs.axis + 1))
    const size = at(x.shape, attrs.axis)
    const padded = size + attrs.before + attrs.after
    for (let i = 0; i < x.data.length; i++) {
      const row = Math.floor(i / inner)
      out.data[(Math.floor(row / size) * padded + attrs.before + row % size) * inner + i % inner] = element(x.data, i)
    }
    return [out]
  },
}

/** Where tensors begin that lie end to end. */
function startsOf(inputs: readonly Spec[]): number[] {
  let next = 0
  return inputs.map(({ shape }) => {
    const start = next
    next += sizeOf(shape)
    return start
  })
}

/** Tensors at most that one kernel joins: each adds accesses to its text, which take time to compile. */
const joined = 4

/** Elements that take less time to copy than a kernel of their own takes to start. */
const few = 2 ** 12

/** Whether inputs along the first axis may be computed in their places in the output; few that cannot begin there are copied together. */
function havePlaces(inputs: readonly Spec[]): boolean {
  const bindable = startsOf(inputs).every((start) => start * byteSize(inputs[0]?.dtype ?? 'f32') % bindingAlignment === 0)
  return bindable || inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0) > few
}

/** Attributes of {@link concat}. */
export type ConcatAttrs = { readonly axis: number }

/** Tensors joined along one axis. @throws {ShapeError} if another axis differs @throws {DTypeError} if dtypes differ or are bf16 */
export const concat: Op<ConcatAttrs> = {
  name: 'concat',
  infer(inputs, { axis }) {
    const first = input('concat', inputs, 0)
    sameDType('concat', inputs)
    expectAxis('concat', axis, first.shape.length)
    expectWholeWords('concat', first)
    for (const s of inputs) {
      if (s.shape.length !== first.shape.length || s.shape.some((d, i) => i !== axis && d !== first.shape[i])) {
        throw new ShapeError(
          `concat: expected shapes equal but for axis ${axis}, got ${inputs.map((t) => shapeText(t.shape)).join(' and ')}`,
        )
      }
    }
    const size = inputs.reduce((sum, s) => sum + at(s.shape, axis), 0)
    return [{ shape: first.shape.map((d, i) => (i === axis ? size : d)), dtype: first.dtype }]
  },
  // Along other axes there may be one image, whose halves are a skip connection that waits long and what it is joined to: the
  // memory of the whole would be taken as long as the skip waits.
  offsetsInOutput: (inputs, { axis }) => (axis === 0 && havePlaces(inputs) ? startsOf(inputs) : undefined),
  // Some inputs a kernel, each copied into its part of the output: parts never overlap, so the order of copies is free.
  kernels({ inputs, outputs, attrs: { axis } }, target) {
    const out = outputs[0] as Spec
    const inner = sizeOf(out.shape.slice(axis + 1))
    const stride = at(out.shape, axis) * inner
    let end = 0
    const parts = inputs.map((x, index) => {
      const run = at(x.shape, axis) * inner
      end += run
      return { index, run, start: end - run, size: sizeOf(x.shape) }
    })
    // What was computed in its place is not copied, so each that has one has a kernel of its own.
    const together = axis === 0 && havePlaces(inputs) ? 1 : joined
    return Array.from({ length: Math.ceil(parts.length / together) }, (_, k) => parts.slice(k * together, (k + 1) * together)).map((some) => {
      const width = stride % 4 === 0 && some.every(({ run, start }) => run % 4 === 0 && start % 4 === 0) ? 4 : 1
      const copies = some.map(({ run, start, size }, k) => {
        const byRun = divider(`run${k}`, run / width, size / width)
        return {
          params: { [`n${k}`]: size / width, [`run${k}`]: run / width, [`start${k}`]: start / width, ...byRun.params },
          text: `for (var i = id.x; i < P.n${k}; i += step) { let q = ${byRun.over('i')}; out[q * P.stride + P.start${k} + i - q * P.run${k}] = x${k}[i]; }`,
        }
      })
      const most = Math.max(...some.map(({ size }) => size)) / width
      return assemble({
        label: `concat/${out.dtype}/${width}/${some.length}`,
        dtype: out.dtype,
        params: Object.assign({ stride: stride / width }, ...copies.map((c) => c.params)),
        storage: [...some.map(({ index }, k) => bind(index, `x${k}`, 'E')), output(0, 'out', 'E')],
        body: /* wgsl */ `
${elements(width)}override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = groups.x * WG;
  ${copies.map((c) => c.text).join('\n  ')}
}
`,
        constants: { WG: 64 },
        workgroups: [stridedGroups(Math.ceil(most / 64), target), 1, 1],
        epilogue: null,
      })
    })
  },
  vjp(call, { inputs, grads, attrs: { axis } }) {
    const g = grads[0]
    if (g === undefined) return []
    let start = 0
    return inputs.map((x) => {
      const end = start + at(call.spec(x).shape, axis)
      const part = call(slice, [g], { axis, start, end })[0]
      start = end
      return part
    })
  },
  reference(inputs, attrs) {
    const out = refZeros(concat.infer(inputs, attrs)[0]?.shape ?? [], inputs[0]?.dtype)
    const inner = sizeOf(out.shape.slice(attrs.axis + 1))
    const total = at(out.shape, attrs.axis) * inner
    let start = 0
    for (const x of inputs) {
      const run = at(x.shape, attrs.axis) * inner
      for (let i = 0; i < x.data.length; i++) out.data[Math.floor(i / run) * total + start + i % run] = element(x.data, i)
      start += run
    }
    return [out]
  },
}
