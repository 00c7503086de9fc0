import { linearCombination, randn, ShapeError, type Tensor } from '@antipode/core'

/** Parameters by name, or differences of parameters by name. All sums are in float32 and lazy: evaluate what you keep. */
export type Weights = ReadonlyMap<string, Tensor>

const names = (w: Weights): string => [...w.keys()].slice(0, 3).join(', ')

function paired(op: string, a: Weights, b: Weights): [string, Tensor, Tensor][] {
  return [...a].map(([name, x]) => {
    const y = b.get(name)
    if (!y || y.shape.join() !== x.shape.join()) {
      throw new ShapeError(`${op}: expected the same parameters on both sides, got ${y ? `[${y.shape.join()}] for [${x.shape.join()}]` : `none`} at "${name}" (there is ${names(b)}, …)`)
    }
    return [name, x, y]
  })
}

/** η = θ_tuned − θ: what training has added to a base. @throws {ShapeError} if parameters differ in name or shape */
export function offsetOf(tuned: Weights, base: Weights): Map<string, Tensor> {
  return new Map(paired('offsetOf', tuned, base).map(([name, t, b]) => [name, t.to('f32').sub(b.to('f32'))]))
}

/**
 * θ + Σ wₖ·offsetₖ over full weights, summed in float32 and rounded once to the base's dtype: an offset is often near
 * the resolution of f16 weights. @throws {ShapeError} if parameters differ in name or shape
 */
export function merge(base: Weights, terms: readonly (readonly [weight: number, offset: Weights])[]): Map<string, Tensor> {
  for (const [, offset] of terms) paired('merge', base, offset)
  return new Map([...base].map(([name, b]) => {
    const sum = linearCombination([[1, b.to('f32')], ...terms.map(([w, o]) => [w, (o.get(name) as Tensor).to('f32')] as const)])
    return [name, sum.to(b.dtype)]
  }))
}

/** `Σ a·b` over all parameters, one lazy number. */
export function dot(a: Weights, b: Weights): Tensor {
  const parts = paired('dot', a, b).map(([, x, y]) => x.mul(y).sum())
  return parts.reduce((s, p) => s.add(p))
}

/** Euclidean length over all parameters. */
export function norm(a: Weights): Tensor {
  return dot(a, a).sqrt()
}

/** Cosine of the angle between two offsets; −1 where negative preference optimisation only undid the positive. */
export function cosine(a: Weights, b: Weights): Tensor {
  return dot(a, b).div(norm(a).mul(norm(b)))
}

/** An offset in a random direction, of the same length as `like` in every parameter: a control for δ. */
export function randomOffset(like: Weights, { seed }: { readonly seed: number }): Map<string, Tensor> {
  return new Map([...like].map(([name, t], stream) => {
    const noise = randn(t.device, t.shape, { seed, stream })
    return [name, noise.mul(t.square().sum().div(noise.square().sum()).sqrt())]
  }))
}

/** The offset times a number. */
export function scaled(a: Weights, factor: Tensor | number): Map<string, Tensor> {
  return new Map([...a].map(([name, t]) => [name, t.mul(factor)]))
}
