import { linearCombination, randn, ShapeError, Tensor } from '@antipode/core'
import { checkArgument, checkOptions, required, whole } from '@antipode/core/options'
import { aFactor } from './factor.ts'

/** Parameters, or differences of parameters, by name. All sums are in float32 and lazy: evaluate what you keep. */
export type Weights = ReadonlyMap<string, Tensor>

const some = (w: Weights): string => `${[...w.keys()].slice(0, 3).join(', ')}${w.size > 3 ? ', …' : ''}`

function paired(op: string, a: Weights, b: Weights): [name: string, x: Tensor, y: Tensor][] {
  const refuse = (got: string): never => {
    throw new ShapeError(`${op}: expected the same parameters on both sides, got ${got}; pass weights of one model`)
  }
  if (a.size === 0) refuse('none')
  const extra = [...b.keys()].find((name) => !a.has(name))
  if (extra !== undefined) refuse(`"${extra}" on one side only (the other has ${some(a)})`)
  return [...a].map(([name, x]) => {
    const y = b.get(name) ?? refuse(`"${name}" on one side only (the other has ${some(b)})`)
    if (y.shape.join() !== x.shape.join()) refuse(`[${y.shape.join()}] for [${x.shape.join()}] at "${name}"`)
    return [name, x, y]
  })
}

/** η = θ_tuned − θ: what training has added to a base. @throws {ShapeError} if parameters differ in name or shape */
export function offsetOf(tuned: Weights, base: Weights): Map<string, Tensor> {
  return new Map(paired('offsetOf', tuned, base).map(([name, t, b]) => [name, t.to('f32').sub(b.to('f32'))]))
}

/**
 * θ + Σ wₖ·offsetₖ over full weights, summed in float32 and rounded once to the base's dtype: an offset is often near
 * the resolution of f16 weights. Offsets of weight 0 are left out, so that α = β = 0 is the base to the bit.
 * @throws {ShapeError} if parameters differ in name or shape @throws {ConfigError} if a weight is not finite
 */
export function merge(base: Weights, terms: readonly (readonly [weight: number, offset: Weights])[]): Map<string, Tensor> {
  for (const [weight, offset] of terms) {
    checkArgument('merge', 'each weight', weight, aFactor)
    paired('merge', base, offset)
  }
  const used = terms.filter(([weight]) => weight !== 0)
  return new Map([...base].map(([name, b]) => {
    const parts = used.map(([w, o]) => [w, (o.get(name) as Tensor).to('f32')] as const)
    return [name, linearCombination([[1, b.to('f32')], ...parts]).to(b.dtype)]
  }))
}

/** `Σ a·b` over all parameters, one lazy number. @throws {ShapeError} if parameters differ in name or shape */
export function dot(a: Weights, b: Weights): Tensor {
  return paired('dot', a, b).map(([, x, y]) => x.to('f32').mul(y.to('f32')).sum()).reduce((s, part) => s.add(part))
}

/** Euclidean length over all parameters. @throws {ShapeError} if there are none */
export function norm(a: Weights): Tensor {
  return dot(a, a).sqrt()
}

/**
 * Cosine of the angle between two offsets; −1 where negative preference optimisation only undid the positive, NaN if one
 * of them is zero. @throws {ShapeError} if parameters differ in name or shape
 */
export function cosine(a: Weights, b: Weights): Tensor {
  return dot(a, b).div(norm(a).mul(norm(b)))
}

/** Options of {@link randomOffset}. */
export interface RandomOffsetOptions {
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/**
 * An offset in a random direction, of the same length as `like` in every parameter, f32: a control for δ.
 * @throws {ConfigError} if an option is unknown, or outside its range
 */
export function randomOffset(like: Weights, options: RandomOffsetOptions): Map<string, Tensor> {
  checkOptions('randomOffset', options, { seed: required(whole(0)) })
  const { seed } = options
  return new Map([...like].map(([name, t], stream) => {
    const noise = randn(t.device, t.shape, { seed, stream })
    return [name, noise.mul(t.to('f32').square().sum().div(noise.square().sum()).sqrt())]
  }))
}

/** The offset times a number. @throws {ConfigError} if it is not finite */
export function scaled(a: Weights, factor: Tensor | number): Map<string, Tensor> {
  if (!(factor instanceof Tensor)) checkArgument('scaled', 'factor', factor, aFactor)
  return new Map([...a].map(([name, t]) => [name, t.mul(factor)]))
}
