import type { Op, RefTensor, Spec } from '../op.ts'
import { element, refZeros } from '../shape.ts'
import { input as bind, output } from '../wgsl/index.ts'
import { checkUpdate, type Rule, updateKernel } from './update.ts'

const rule: Rule = {
  name: 'adamw',
  tensors: [
    { name: 'p', role: 'parameter' },
    { name: 'g', role: 'gradient' },
    { name: 'm', role: 'state' },
    { name: 'v', role: 'state' },
  ],
  hyper: 8,
}

/**
 * One AdamW step in place, as `torch.optim.AdamW` takes it:
 * p ← p·(1 − lr·wd); m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr/c₁ · m / (√v/√c₂ + ε), with g scaled first.
 *
 * Inputs p, g, m, v of one shape and hyper f32 `[8]` = lr, β₁, β₂, ε, weight decay wd, c₁ = 1 − β₁^t, c₂ = 1 − β₂^t,
 * gradient scale; {@link adamwHyper} makes it. Outputs p, m, v, each in its input's buffer. p and g are f32 or f16, m and
 * v f32. An f16 parameter loses updates below 2^-11 of its value: keep an f32 copy to train with.
 * Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
 * @throws {ShapeError} if shapes differ @throws {DTypeError} if g's dtype is not p's, or m or v is not f32
 */
export const adamw: Op = {
  name: 'adamw',
  inplace: [0, 2, 3],
  infer(inputs) {
    checkUpdate(rule, inputs)
    return [0, 2, 3].map((k) => inputs[k] as Spec).map(({ shape, dtype }) => ({ shape, dtype }))
  },
  kernels: ({ inputs }, target) => [updateKernel(rule, inputs, target, {
    storage: [output(0, 'p', 'T'), output(1, 'm', 'V'), output(2, 'v', 'V'), bind(1, 'g', 'T'), bind(4, 'hyper', 'vec4f')],
    setup: /* wgsl */ `  let h = hyper[0];
  let k = hyper[1];
  let step = h.x / k.y;
  let root = sqrt(k.z);
`,
    body: /* wgsl */ `    let d = V(g[i]) * k.w;
    let m1 = m[i] * h.y + d * (1.0 - h.y);
    let v1 = v[i] * h.z + d * d * (1.0 - h.z);
    m[i] = m1;
    v[i] = v1;
    p[i] = T(V(p[i]) * (1.0 - h.x * k.x) - step * m1 / (sqrt(v1) / root + h.w));
`,
  })],
  reference(inputs) {
    const [p, g, m, v, hyper] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor, RefTensor]
    const [lr = 0, beta1 = 0, beta2 = 0, eps = 0, decay = 0, c1 = 1, c2 = 1, scale = 1] = hyper.data
    const out = [p, m, v].map((t) => refZeros(t.shape, t.dtype)) as [RefTensor, RefTensor, RefTensor]
    for (let i = 0; i < p.data.length; i++) {
      const d = element(g.data, i) * scale
      const m1 = beta1 * element(m.data, i) + (1 - beta1) * d
      const v1 = beta2 * element(v.data, i) + (1 - beta2) * d * d
      out[0].data[i] = element(p.data, i) * (1 - lr * decay) - lr / c1 * m1 / (Math.sqrt(v1) / Math.sqrt(c2) + eps)
      out[1].data[i] = m1
      out[2].data[i] = v1
    }
    return out
  },
}

/** What {@link adamwHyper} packs; names and defaults follow `torch.optim.AdamW`. */
export interface AdamwOptions {
  readonly lr: number
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Default 1e-8. */
  readonly eps?: number
  /** Default 0.01. */
  readonly weightDecay?: number
  /** Factor on every gradient, for clipping or loss scaling; default 1. */
  readonly gradScale?: number
}

/**
 * The `hyper` input of {@link adamw} at `step` = 1, 2, ….
 * The corrections use β as f32 holds it, which is what the kernel averages with: with β₂ = 0.999 in float64 the first
 * step would be off by 2.4e-5.
 */
export function adamwHyper(
  { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0.01, gradScale = 1 }: AdamwOptions,
  step: number,
): Float32Array<ArrayBuffer> {
  const correction = (beta: number): number => 1 - Math.fround(beta) ** step
  return Float32Array.of(lr, beta1, beta2, eps, weightDecay, correction(beta1), correction(beta2), gradScale)
}
