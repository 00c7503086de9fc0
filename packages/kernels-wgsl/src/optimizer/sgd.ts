import type { Op, RefTensor, Spec } from '../op.ts'
import { element, refZeros } from '../shape.ts'
import { input as bind, output } from '../wgsl/index.ts'
import { checkUpdate, type Rule, updateKernel } from './update.ts'

/** Attributes of {@link sgd}: whether the step looks ahead along the momentum. */
export type SgdAttrs = { readonly nesterov: boolean }

const rule: Rule = {
  name: 'sgd',
  tensors: [
    { name: 'p', role: 'parameter' },
    { name: 'g', role: 'gradient' },
    { name: 'buf', role: 'state' },
  ],
  hyper: 4,
}

/**
 * One step of SGD with momentum in place, as `torch.optim.SGD` takes it without dampening:
 * d = g·scale + wd·p; buf ← μ·buf + d; p ← p − lr·buf, or p − lr·(d + μ·buf) with `nesterov`. Start `buf` at zero.
 *
 * Inputs p, g, buf of one shape and hyper f32 `[4]` = lr, momentum μ, weight decay wd, gradient scale. Outputs p, buf,
 * each in its input's buffer. p and g are f32 or f16, buf is f32.
 * Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
 * @throws {ShapeError} if shapes differ @throws {DTypeError} if g's dtype is not p's, or buf is not f32
 */
export const sgd: Op<SgdAttrs> = {
  name: 'sgd',
  inplace: [0, 2],
  infer(inputs) {
    checkUpdate(rule, inputs)
    return [0, 2].map((k) => inputs[k] as Spec).map(({ shape, dtype }) => ({ shape, dtype }))
  },
  kernels: ({ inputs, attrs }, target) => [updateKernel(attrs.nesterov ? { ...rule, name: 'sgd/nesterov' } : rule, inputs, target, {
    storage: [output(0, 'p', 'T'), output(1, 'buf', 'V'), bind(1, 'g', 'T'), bind(3, 'hyper', 'vec4f')],
    setup: /* wgsl */ `  let h = hyper[0];
`,
    body: /* wgsl */ `    let p0 = V(p[i]);
    let d = V(g[i]) * h.w + h.z * p0;
    let b = h.y * buf[i] + d;
    buf[i] = b;
    p[i] = T(p0 - h.x * ${attrs.nesterov ? '(d + h.y * b)' : 'b'});
`,
  })],
  reference(inputs, { nesterov }) {
    const [p, g, buf, hyper] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor]
    const [lr = 0, momentum = 0, decay = 0, scale = 1] = hyper.data
    const out = [p, buf].map((t) => refZeros(t.shape, t.dtype)) as [RefTensor, RefTensor]
    for (let i = 0; i < p.data.length; i++) {
      const d = element(g.data, i) * scale + decay * element(p.data, i)
      const b = momentum * element(buf.data, i) + d
      out[0].data[i] = element(p.data, i) - lr * (nesterov ? d + momentum * b : b)
      out[1].data[i] = b
    }
    return out
  },
}
