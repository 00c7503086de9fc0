import { at } from '../at.ts'
import { stridedGroups } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import type { DType, Kernel, Op, Problem, RefTensor, Spec, Target } from '../op.ts'
import { computableFloat, element, expectRank, input, refZeros, shapeText, sizeOf } from '../shape.ts'
import { assemble, divider, input as bind, output } from '../wgsl/index.ts'

/** Attributes of {@link upsample}: how many times as high and wide images become. */
export type UpsampleAttrs = { readonly factor: number }

/**
 * Nearest-neighbour enlargement by a whole factor: `[B,C,H,W] -> [B, C, H·factor, W·factor]`.
 * @throws {ShapeError} if x is no image or the factor is not a whole number of 1 or more
 */
export const upsample: Op<UpsampleAttrs> = {
  name: 'upsample',
  epilogue: true,
  infer(inputs, { factor }) {
    const x = image('upsample', inputs, factor)
    const [b = 0, c = 0, h = 0, w = 0] = x.shape
    return [{ shape: [b, c, h * factor, w * factor], dtype: x.dtype }]
  },
  kernels: (problem, target) => [enlarge(problem, target)],
  vjp(call, { grads, attrs }) {
    const g = grads[0]
    return g === undefined ? [] : [call(upsampleGrad, [g], attrs)[0]]
  },
  reference(inputs, attrs) {
    const [x] = inputs as readonly [RefTensor]
    const out = refZeros(upsample.infer(inputs, attrs)[0]?.shape ?? [], x.dtype)
    eachPixel(x, attrs, (small, large) => { out.data[large] = element(x.data, small) })
    return [out]
  },
}

/** Gradient of {@link upsample}: the sum over each square of pixels, `[B, C, H·factor, W·factor] -> [B,C,H,W]`. */
export const upsampleGrad: Op<UpsampleAttrs> = {
  name: 'upsampleGrad',
  epilogue: true,
  infer(inputs, { factor }) {
    const x = image('upsampleGrad', inputs, factor)
    const [b = 0, c = 0, h = 0, w = 0] = x.shape
    if (h % factor || w % factor) throw new ShapeError(`upsampleGrad: expected sides that ${factor} divides, got ${shapeText(x.shape)}`)
    return [{ shape: [b, c, h / factor, w / factor], dtype: x.dtype }]
  },
  kernels: (problem, target) => [gather(problem, target)],
  vjp(call, { grads, attrs }) {
    const g = grads[0]
    return g === undefined ? [] : [call(upsample, [g], attrs)[0]]
  },
  reference(inputs, attrs) {
    const [g] = inputs as readonly [RefTensor]
    const out = refZeros(upsampleGrad.infer(inputs, attrs)[0]?.shape ?? [], g.dtype)
    eachPixel(out, attrs, (small, large) => { out.data[small] = element(out.data, small) + element(g.data, large) })
    return [out]
  },
}

function image(op: string, inputs: readonly Spec[], factor: number): Spec {
  const x = input(op, inputs, 0)
  computableFloat(op, x)
  expectRank(op, 'images [B,C,H,W]', x, 4)
  if (!Number.isInteger(factor) || factor < 1) throw new ShapeError(`${op}: expected a whole factor of 1 or more, got ${factor}`)
  return x
}

/** Visits every pixel of the enlarged images beside the one it repeats, by their flat indices. */
function eachPixel(x: Spec, { factor }: UpsampleAttrs, visit: (small: number, large: number) => void): void {
  const [b = 0, c = 0, h = 0, w = 0] = x.shape
  for (let y = 0, large = 0; y < b * c * h * factor; y++) {
    for (let i = 0; i < w * factor; i++) visit(Math.floor(y / factor) * w + Math.floor(i / factor), large++)
  }
}

const outputType = ({ outputs, epilogue }: Problem): DType => epilogue?.dtype ?? outputs[0]?.dtype ?? 'f32'

/** Idea: an invocation stores four neighbouring pixels at once where rows allow, and rows of all images are one column. */
function enlarge(problem: Problem<UpsampleAttrs>, target: Target): Kernel {
  const { factor } = problem.attrs
  const [x, y] = [problem.inputs[0], problem.outputs[0]] as [Spec, Spec]
  const width = at(y.shape, 3)
  const each = width % 4 === 0 ? 4 : 1
  const units = sizeOf(y.shape) / each
  const [across, repeats, columns] = [divider('across', width / each, units), divider('factor', factor, units), divider('factor', factor, width)]
  const pixel = (k: number): string => `Acc(x[base + ${columns.over(`column + ${k}u`)}])`
  const stored = each === 4 ? `vec4<Out>(vec4f(${[0, 1, 2, 3].map((k) => `epilogue(${pixel(k)}, 4u * i + ${k}u)`).join(', ')}))` : `Out(epilogue(${pixel(0)}, i))`
  return assemble({
    label: `upsample/${x.dtype}/${each}`,
    dtype: x.dtype,
    params: { units, across: width / each, factor, width: at(x.shape, 3), ...across.params, ...repeats.params, ...columns.params },
    storage: [bind(0, 'x'), output(0, 'out', each === 4 ? `vec4<${outputType(problem)}>` : outputType(problem))],
    body: /* wgsl */ `
alias Out = ${outputType(problem)};
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.units; i += groups.x * WG) {
    let row = ${across.over('i')};
    let column = (i - row * P.across) * ${each}u;
    let base = ${repeats.over('row')} * P.width;
    out[i] = ${stored};
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(units / 64), target), 1, 1],
    epilogue: problem.epilogue,
  })
}

/** Idea: an invocation sums one square, of which it reads rows four pixels at once where they are cut into halves of four. */
function gather(problem: Problem<UpsampleAttrs>, target: Target): Kernel {
  const { factor } = problem.attrs
  const [x, y] = [problem.inputs[0], problem.outputs[0]] as [Spec, Spec]
  const width = at(y.shape, 3)
  const halves = factor === 2 && width % 2 === 0
  const each = halves ? 2 : 1
  const units = sizeOf(y.shape) / each
  const across = divider('across', width / each, units)
  const out = outputType(problem)
  return assemble({
    label: `upsampleGrad/${x.dtype}/${each}`,
    dtype: x.dtype,
    params: { units, across: width / each, factor, stride: width * factor / (halves ? 4 : 1), ...across.params },
    storage: [bind(0, 'x', halves ? 'vec4<Scalar>' : 'Scalar'), output(0, 'out', halves ? `vec2<${out}>` : out)],
    body: /* wgsl */ `
alias Out = ${out};
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.units; i += groups.x * WG) {
    let row = ${across.over('i')};
    var e = row * P.factor * P.stride + (i - row * P.across)${halves ? '' : ' * P.factor'};
    ${halves ? `let v = vec4f(x[e]) + vec4f(x[e + P.stride]);
    out[i] = vec2<Out>(vec2f(epilogue(v.x + v.y, 2u * i), epilogue(v.z + v.w, 2u * i + 1u)));` : `var s = Acc();
    for (var down = 0u; down < P.factor; down++) {
      for (var k = 0u; k < P.factor; k++) { s += Acc(x[e + k]); }
      e += P.stride;
    }
    out[i] = Out(epilogue(s, i));`}
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(units / 64), target), 1, 1],
    epilogue: problem.epilogue,
  })
}
