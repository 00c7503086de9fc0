import type { Op, RefTensor, Spec } from '../op.ts'
import { element, refZeros } from '../shape.ts'
import { input as bind, output } from '../wgsl/index.ts'
import { checkUpdate, type Rule, updateKernel } from './update.ts'

const rule: Rule = {
  name: 'ema',
  tensors: [
    { name: 'e', role: 'state' },
    { name: 'p', role: 'parameter' },
  ],
  hyper: 1,
}

/**
 * Exponential moving average in place: e ← decay·e + (1 − decay)·p.
 *
 * Inputs e (f32) and p (f32 or f16) of one shape and hyper f32 `[1]` = decay. Output e, in its input's buffer. The average
 * is f32 because an f16 one would stand still: at decay 0.9999 its increments are below half its spacing.
 * @throws {ShapeError} if shapes differ @throws {DTypeError} if e is not f32, or p neither f32 nor f16
 */
export const ema: Op = {
  name: 'ema',
  inplace: [0],
  infer(inputs) {
    checkUpdate(rule, inputs)
    return [{ shape: (inputs[0] as Spec).shape, dtype: 'f32' }]
  },
  kernels: ({ inputs }, target) => [updateKernel(rule, inputs, target, {
    storage: [output(0, 'e', 'V'), bind(1, 'p', 'T'), bind(2, 'hyper', 'f32')],
    setup: /* wgsl */ `  let decay = hyper[0];
`,
    body: /* wgsl */ `    e[i] = decay * e[i] + (1.0 - decay) * V(p[i]);
`,
  })],
  reference(inputs) {
    const [e, p, hyper] = inputs as readonly [RefTensor, RefTensor, RefTensor]
    const decay = element(hyper.data, 0)
    const out = refZeros(e.shape, e.dtype)
    for (let i = 0; i < e.data.length; i++) out.data[i] = decay * element(e.data, i) + (1 - decay) * element(p.data, i)
    return [out]
  },
}
