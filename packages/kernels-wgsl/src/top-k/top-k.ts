import { at } from '../at.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import { putAlong } from '../gather/index.ts'
import type { DType, Op, Spec, Target } from '../op.ts'
import { element, input, refZeros, shapeText, sizeOf } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'

/** Attributes of {@link topK}: how many elements, and whether the largest or the smallest. */
export type TopKAttrs = { readonly k: number; readonly largest: boolean }

/**
 * The k largest (or smallest) elements of each row along the last axis, in order: x `[…b, n]` -> values `[…b, k]` of x's
 * dtype and their indices `[…b, k]`, i32. Equal elements come in the order of their indices; −0 equals 0; NaN counts as
 * the largest number, as in PyTorch. The indices with k = 1 are argmax, of NaN where there is one, and argmin of the numbers.
 * @throws {ShapeError} unless 0 ≤ k ≤ n @throws {DTypeError} if x is bf16
 */
export const topK: Op<TopKAttrs> = {
  name: 'topK',
  infer(inputs, { k }) {
    const x = input('topK', inputs, 0)
    if (x.dtype === 'bf16') throw new DTypeError("topK: expected f32, f16, i32 or u32, got bf16; cast it with .to('f32')")
    if (x.shape.length === 0) throw new ShapeError('topK: expected rank 1 or more, got []; reshape it to [1]')
    const n = x.shape.at(-1) ?? 0
    if (!Number.isInteger(k) || k < 0 || k > n) throw new ShapeError(`topK: expected k in [0, ${n}] for ${shapeText(x.shape)}, got ${k}`)
    const shape = [...x.shape.slice(0, -1), k]
    return [{ shape, dtype: x.dtype }, { shape, dtype: 'i32' }]
  },
  kernels: ({ inputs, attrs }, target) => {
    const x = inputs[0] as Spec
    const length = x.shape.at(-1) ?? 0
    const rows = sizeOf(x.shape.slice(0, -1))
    const meet = meeting(target)
    return [assemble({
      label: `topK/${x.dtype}`,
      dtype: x.dtype,
      subgroups: meet.subgroups,
      params: { rows, length, k: attrs.k, flip: attrs.largest ? 0 : 0xffffffff },
      storage: [bind(0, 'x'), output(0, 'values'), output(1, 'indices', 'u32')],
      body: /* wgsl */ `
${keyOf(x.dtype)}${meet.wgsl}
override WG: u32;
// a workgroup a row: each round finds the greatest pair (key, earliest index) behind the last round's
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * P.length;
    var last = Best(0xffffffffu, none);
    for (var j = 0u; j < P.k; j++) {
      var best = Best(0u, none);
      for (var i = lane; i < P.length; i += WG) {
        let key = key_of(x[base + i]) ^ P.flip;
        let left = last.index == none || key < last.key || (key == last.key && i > last.index);
        if (left && (key > best.key || best.index == none)) { best = Best(key, i); }
      }
      last = meet(best, lane);
      if (lane == 0u) {
        values[row * P.k + j] = x[base + last.index];
        indices[row * P.k + j] = last.index;
      }
    }
  }
}
`,
      constants: { WG: meet.workgroup },
      workgroups: [stridedGroups(rows, target), 1, 1],
      epilogue: null,
    })]
  },
  vjp(call, { inputs, outputs, grads }) {
    const [x] = inputs
    const [, indices] = outputs
    const g = grads[0]
    if (x === undefined || indices === undefined || g === undefined) return []
    return [call(putAlong, [g, indices], { size: call.spec(x).shape.at(-1) })[0]]
  },
  reference(inputs, attrs) {
    const x = input('topK', inputs, 0)
    const [specV, specI] = topK.infer(inputs, attrs) as [Spec, Spec]
    const values = refZeros(specV.shape, specV.dtype)
    const indices = refZeros(specI.shape, specI.dtype)
    const n = x.shape.at(-1) ?? 0
    const sign = attrs.largest ? -1 : 1
    for (let row = 0; row * attrs.k < values.data.length; row++) {
      const rank = (i: number): number => {
        const v = element(x.data, row * n + i)
        return sign * (Number.isNaN(v) ? Infinity : v === Infinity ? Number.MAX_VALUE : v)
      }
      const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => rank(a) - rank(b) || a - b)
      for (let j = 0; j < attrs.k; j++) {
        indices.data[row * attrs.k + j] = at(order, j)
        values.data[row * attrs.k + j] = element(x.data, row * n + at(order, j))
      }
    }
    return [values, indices]
  },
}

/** WGSL of `fn key_of(v: Scalar) -> u32`, which orders like the elements; -0 counts as 0 and every NaN as the greatest. */
function keyOf(dtype: DType): string {
  if (dtype === 'u32') return 'fn key_of(v: u32) -> u32 { return v; }\n'
  if (dtype === 'i32') return 'fn key_of(v: i32) -> u32 { return bitcast<u32>(v) ^ 0x80000000u; }\n'
  // By bits: WGSL lets a compiler assume that no float is NaN.
  return /* wgsl */ `
fn key_of(v: Scalar) -> u32 {
  let b = bitcast<u32>(f32(v));
  let magnitude = b & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  return select(0x80000000u + magnitude, 0x80000000u - magnitude, b >> 31u == 1u);
}
`
}

/** How the lanes of a row agree on one pair: by subgroup instructions, or over a tree in workgroup memory. */
function meeting(target: Target): { readonly subgroups: boolean; readonly workgroup: number; readonly wgsl: string } {
  const pair = /* wgsl */ `
const none = 0xffffffffu;
struct Best { key: u32, index: u32 }
`
  if (target.subgroupSize > 0) {
    return {
      subgroups: true,
      workgroup: target.subgroupSize,
      wgsl: /* wgsl */ `${pair}
fn meet(b: Best, lane: u32) -> Best {
  let key = subgroupMax(b.key);
  return Best(key, subgroupMin(select(none, b.index, b.key == key)));
}
`,
    }
  }
  return {
    subgroups: false,
    workgroup: 64,
    wgsl: /* wgsl */ `${pair}
var<workgroup> part: array<Best, WG>;
fn meet(b: Best, lane: u32) -> Best {
  part[lane] = b;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      let a = part[lane];
      let c = part[lane + half];
      if (c.key > a.key || (c.key == a.key && c.index < a.index)) { part[lane] = c; }
    }
    workgroupBarrier();
  }
  let result = part[0];
  workgroupBarrier();
  return result;
}
`,
  }
}
