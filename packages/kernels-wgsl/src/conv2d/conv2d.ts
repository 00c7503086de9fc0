import { type Gemm, gemm } from '../gemm/index.ts'
import type { Kernel, Op, Problem, RefTensor, Target } from '../op.ts'
import { computableFloat, element, input, refZeros, sameDType, sizeOf } from '../shape.ts'
import { input as bind } from '../wgsl/index.ts'
import { check, type Conv2dAttrs, type Conv2dGradAttrs, eachRun, forwardGeometry, type Geometry, geometry, inputGradGeometry, weightGradGeometry } from './geometry.ts'

/**
 * 2-D cross-correlation, as deep learning calls convolution:
 * `y[b,o,i,j] = Σ_c,u,v x[b, c, i·sH + u − top, j·sW + v − left] · w[o,c,u,v]`, zeros outside.
 * x `[B,C,H,W]`, w `[O, C/groups, kH, kW]` -> `[B,O,H',W']`.
 * The zeros outside are multiplied as pixels are: where a filter of NaN or ∞ meets the border the result is NaN, as in torch where it
 * copies what filters meet. A pixel of NaN or ∞ reaches only what reads it, or, of convolutions by tiles, the tiles that read it.
 * @throws {ShapeError} if channels, groups or the kernel do not fit
 */
export const conv2d: Op<Conv2dAttrs> = {
  name: 'conv2d',
  epilogue: true,
  infer(inputs, attrs) {
    const x = input('conv2d', inputs, 0)
    const dtype = computableFloat('conv2d', x)
    sameDType('conv2d', inputs)
    const g = check('conv2d', x, input('conv2d', inputs, 1), attrs)
    return [{ shape: [g.batch, g.outChannels, g.outHeight, g.outWidth], dtype }]
  },
  flops: (inputs, outputs) => tapFlops(outputs[0]?.shape, inputs[1]?.shape),
  // Implicit GEMM: rows are filters, columns are output pixels of all images, the outer sum is over taps.
  kernels(problem, target) {
    const g = forwardGeometry(problem)
    return buffers('conv2d', problem, target, g, {
      rows: g.outChannels / g.groups,
      cols: g.batch * g.outHeight * g.outWidth,
      outer: g.kernelHeight * g.kernelWidth,
      inner: g.inChannels / g.groups,
      rowStride: g.outHeight * g.outWidth,
    }, [1, 0], /* wgsl */ `
fn walk_a(z: u32, row: u32, tap: u32) -> Walk { return inside((z * P.cout + row) * P.cin * P.outer + tap, P.outer); }
fn place(z: u32, col: u32) -> vec3u {
  let plane = P.oh * P.ow;
  let p = col % plane;
  return vec3u((col / plane * P.channels + z * P.cin) * P.height * P.width, p / P.ow * P.sy - P.top, p % P.ow * P.sx - P.left);
}
${tapOf}fn walk_b(p: vec3u, t: vec3u) -> Walk {
  let y = p.y + t.y;
  let x = p.z + t.z;
  return Walk(p.x + y * P.width + x, P.height * P.width, select(1u, 0u, y < P.height && x < P.width), 0u, 1u);
}
fn out_column(z: u32, col: u32) -> u32 {
  let plane = P.oh * P.ow;
  return (col / plane * P.filters + z * P.cout) * plane + col % plane;
}
`)
  },
  vjp(call, { inputs, grads, attrs, needs }) {
    const [x, w] = inputs
    const g = grads[0]
    if (x === undefined || w === undefined || g === undefined) return []
    const { shape } = call.spec(x)
    const kernel = call.spec(w).shape
    return [
      needs[0] ? call(conv2dInputGrad, [g, w], { ...attrs, shape })[0] : undefined,
      needs[1] ? call(conv2dWeightGrad, [g, x], { ...attrs, shape: kernel })[0] : undefined,
    ]
  },
  reference(inputs, attrs) {
    const [x, w] = inputs as readonly [RefTensor, RefTensor]
    const g = check('conv2d', x, w, attrs)
    const out = refZeros([g.batch, g.outChannels, g.outHeight, g.outWidth], x.dtype)
    const [, step] = g.stride
    eachRun(g, (run) => {
      const weight = element(w.data, run.w)
      for (let j = 0; j < run.count; j++) out.data[run.y + j] = element(out.data, run.y + j) + element(x.data, run.x + j * step) * weight
    })
    return [out]
  },
}

/**
 * Gradient of {@link conv2d} with respect to its input, from dy `[B,O,H',W']` and w: the transposed convolution. Where a tap meets no
 * slope it may multiply a zero: filters of NaN or ∞ may give NaN there.
 */
export const conv2dInputGrad: Op<Conv2dGradAttrs> = {
  name: 'conv2dInputGrad',
  epilogue: true,
  infer: (inputs, { shape }) => [{ shape, dtype: sameDType('conv2dInputGrad', inputs) }],
  flops: (inputs) => tapFlops(inputs[0]?.shape, inputs[1]?.shape),
  kernels(problem, target) {
    const g = inputGradGeometry(problem)
    return buffers('conv2dInputGrad', problem, target, g, {
      rows: g.inChannels / g.groups,
      cols: g.batch * g.height * g.width,
      outer: g.kernelHeight * g.kernelWidth,
      inner: g.outChannels / g.groups,
      rowStride: g.height * g.width,
    }, [1, 0], /* wgsl */ `
fn walk_a(z: u32, row: u32, tap: u32) -> Walk { return inside((z * P.cout * P.cin + row) * P.outer + tap, P.cin * P.outer); }
fn place(z: u32, col: u32) -> vec3u {
  let plane = P.height * P.width;
  let p = col % plane;
  return vec3u((col / plane * P.filters + z * P.cout) * P.oh * P.ow, p / P.width + P.top, p % P.width + P.left);
}
${tapOf}fn walk_b(p: vec3u, t: vec3u) -> Walk {
  var y = p.y - t.y;
  var x = p.z - t.z;
  var ok = true;
  if (P.sy * P.sx > 1u) {
    ok = y % P.sy == 0u && x % P.sx == 0u;
    y /= P.sy;
    x /= P.sx;
  }
  ok = ok && y < P.oh && x < P.ow;
  return Walk(p.x + y * P.ow + x, P.oh * P.ow, select(1u, 0u, ok), 0u, 1u);
}
fn out_column(z: u32, col: u32) -> u32 {
  let plane = P.height * P.width;
  return (col / plane * P.channels + z * P.cin) * plane + col % plane;
}
`)
  },
  vjp(call, { inputs, grads, attrs: { shape: _, ...attrs }, needs }) {
    const [dy, w] = inputs
    const g = grads[0]
    if (dy === undefined || w === undefined || g === undefined) return []
    return [
      needs[0] ? call(conv2d, [g, w], attrs)[0] : undefined,
      needs[1] ? call(conv2dWeightGrad, [dy, g], { ...attrs, shape: call.spec(w).shape })[0] : undefined,
    ]
  },
  reference(inputs, attrs) {
    const [dy, w] = inputs as readonly [RefTensor, RefTensor]
    const out = refZeros(attrs.shape, dy.dtype)
    const [, step] = attrs.stride
    eachRun(geometry(attrs.shape, w.shape, attrs), (run) => {
      const weight = element(w.data, run.w)
      for (let j = 0; j < run.count; j++) out.data[run.x + j * step] = element(out.data, run.x + j * step) + element(dy.data, run.y + j) * weight
    })
    return [out]
  },
}

/**
 * Gradient of {@link conv2d} with respect to its weight, from dy `[B,O,H',W']` and x. A pixel or slope of NaN or ∞ may make NaN of all
 * taps between its channel and a filter, of those too that would meet it outside of the image.
 */
export const conv2dWeightGrad: Op<Conv2dGradAttrs> = {
  name: 'conv2dWeightGrad',
  epilogue: true,
  infer: (inputs, { shape }) => [{ shape, dtype: sameDType('conv2dWeightGrad', inputs) }],
  flops: (inputs, _outputs, { shape }) => tapFlops(inputs[0]?.shape, shape),
  // The sum runs over all output pixels of all images. With many images the inner loop walks the batch, where a tap is
  // inside for all or none; with few it walks a row of pixels and tests each, as it does on GPUs, whose threads should read
  // neighbours.
  kernels(problem, target) {
    const g = weightGradGeometry(problem)
    const overBatch = target.kind === 'software' && g.batch >= g.outWidth
    return buffers('conv2dWeightGrad', problem, target, g, {
      rows: g.outChannels / g.groups,
      cols: g.inChannels / g.groups * g.kernelHeight * g.kernelWidth,
      outer: overBatch ? g.outHeight * g.outWidth : g.batch * g.outHeight,
      inner: overBatch ? g.batch : g.outWidth,
      rowStride: g.inChannels / g.groups * g.kernelHeight * g.kernelWidth,
    }, [0, 1], overBatch ? /* wgsl */ `
fn walk_a(z: u32, row: u32, p: u32) -> Walk { return inside((z * P.cout + row) * P.outer + p, P.filters * P.outer); }
fn turn(p: u32) -> vec3u { return vec3u(0u, p / P.ow * P.sy, p % P.ow * P.sx); }
fn walk_b(p: vec3u, t: vec3u) -> Walk {
  let y = p.y + t.y;
  let x = p.z + t.z;
  return Walk(p.x + y * P.width + x, P.channels * P.height * P.width, select(1u, 0u, y < P.height && x < P.width), 0u, 1u);
}
${weightIndex}` : /* wgsl */ `
fn walk_a(z: u32, row: u32, k1: u32) -> Walk {
  return inside(((k1 / P.oh * P.filters + z * P.cout + row) * P.oh + k1 % P.oh) * P.ow, 1u);
}
fn turn(k1: u32) -> vec3u { return vec3u(k1 / P.oh * P.channels * P.height * P.width, k1 % P.oh * P.sy, 0u); }
fn walk_b(p: vec3u, t: vec3u) -> Walk {
  let y = p.y + t.y;
  return Walk(p.x + t.x + y * P.width + p.z, P.sx, p.z, P.sx, select(0u, P.width, y < P.height));
}
${weightIndex}`, { bLayout: { along: 'sum', multiple: 1 } })
  },
  vjp(call, { inputs, grads, attrs: { shape: _, ...attrs }, needs }) {
    const [dy, x] = inputs
    const g = grads[0]
    if (dy === undefined || x === undefined || g === undefined) return []
    return [
      needs[0] ? call(conv2d, [x, g], attrs)[0] : undefined,
      needs[1] ? call(conv2dInputGrad, [dy, g], { ...attrs, shape: call.spec(x).shape })[0] : undefined,
    ]
  },
  reference(inputs, attrs) {
    const [dy, x] = inputs as readonly [RefTensor, RefTensor]
    const out = refZeros(attrs.shape, dy.dtype)
    const [, step] = attrs.stride
    eachRun(geometry(x.shape, attrs.shape, attrs), (run) => {
      let sum = element(out.data, run.w)
      for (let j = 0; j < run.count; j++) sum += element(dy.data, run.y + j) * element(x.data, run.x + j * step)
      out.data[run.w] = sum
    })
    return [out]
  },
}

/** Of a convolution or one of its gradients: each output pixel (or its slope) meets each tap of its filter once. */
function tapFlops(y: readonly number[] = [], w: readonly number[] = []): number {
  return 2 * sizeOf(y) * sizeOf(w.slice(1))
}

const words = (g: Geometry): Record<string, number> => ({
  cin: g.inChannels / g.groups, cout: g.outChannels / g.groups, channels: g.inChannels, filters: g.outChannels,
  height: g.height, width: g.width, kh: g.kernelHeight, kw: g.kernelWidth, oh: g.outHeight, ow: g.outWidth,
  sy: g.stride[0], sx: g.stride[1], top: g.padding[0], left: g.padding[1],
})

const tapOf = /* wgsl */ `fn turn(tap: u32) -> vec3u { return vec3u(0u, tap / P.kw, tap % P.kw); }
`

const weightIndex = /* wgsl */ `
fn place(z: u32, col: u32) -> vec3u {
  let taps = P.kh * P.kw;
  return vec3u((z * P.cin + col / taps) * P.height * P.width, col % taps / P.kw - P.top, col % P.kw - P.left);
}
fn out_column(z: u32, col: u32) -> u32 { return z * P.cout * P.cols + col; }
`

/** The product on operands as they lie in their buffers. */
function buffers(
  label: string,
  problem: Problem,
  target: Target,
  g: Geometry,
  size: { rows: number; cols: number; outer: number; inner: number; rowStride: number },
  [a, b]: readonly [number, number],
  walks: string,
  layouts: Pick<Gemm, 'aLayout' | 'bLayout'> = {},
): Kernel[] {
  return gemm({ label, problem, ...size, batch: g.groups, params: words(g), storage: [bind(a, 'a'), bind(b, 'b')], walks, ...layouts }, target)
}
