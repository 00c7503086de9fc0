import { contract } from '../gemm/index.ts'
import type { Op, RefTensor } from '../op.ts'
import { computableFloat, element, input, refZeros, sameDType, sizeOf } from '../shape.ts'
import { input as bind } from '../wgsl/index.ts'
import { forwardContraction, inputGradContraction, weightGradContraction } from './contraction.ts'
import { check, type Conv2dAttrs, type Conv2dGradAttrs, eachRun, forwardGeometry, geometry, inputGradGeometry, weightGradGeometry } from './geometry.ts'

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
  kernels: (problem, target) => contract({
    label: 'conv2d', problem, contraction: forwardContraction(forwardGeometry(problem)), storage: [bind(1, 'a'), bind(0, 'b')],
  }, target),
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
  kernels: (problem, target) => contract({
    label: 'conv2dInputGrad', problem, contraction: inputGradContraction(inputGradGeometry(problem)), storage: [bind(1, 'a'), bind(0, 'b')],
  }, target),
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
  // With many images the inner loop walks the batch, where a tap is inside for all or none; with few it walks a row of pixels and tests
  // each, as it does on GPUs, whose threads should read neighbours.
  kernels(problem, target) {
    const g = weightGradGeometry(problem)
    return contract({
      label: 'conv2dWeightGrad', problem, contraction: weightGradContraction(g), storage: [bind(0, 'a'), bind(1, 'b')],
      inner: target.kind === 'software' && g.batch >= g.outWidth ? 'first' : 'last',
    }, target)
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
