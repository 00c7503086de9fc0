import { ShapeError } from '../errors.ts'
import { minimum } from '../functional/index.ts'
import { scalar, type Tensor } from '../graph/index.ts'
import { checkArgument, type Range } from '../options/index.ts'
import { groupsOf, joined } from './groups.ts'

/** What {@link clipGradNorm} gives, all of it lazy. */
export interface Clipped {
  readonly grads: Tensor[]
  /** Norm of all gradients together before clipping, f32, rank 0. */
  readonly norm: Tensor
  /** The factor that clips, f32, rank 0: pass it with the unclipped gradients as `gradScale` and save a kernel each. */
  readonly scale: Tensor
}

const aNorm: Range = { expected: 'a positive number', accepts: (v) => typeof v === 'number' && v > 0 }

/**
 * Scales gradients so that their norm, taken over all of them together, is at most `max`: by `min(1, max / (norm + 1e-6))`,
 * as `torch.nn.utils.clip_grad_norm_` does. A norm that is NaN or infinite makes NaN of gradients. Source: Pascanu et al. 2013,
 * algorithm 1.
 * @param max positive; Infinity only measures the norm
 * @throws {ConfigError} if it is not @throws {ShapeError} if there are no gradients
 */
export function clipGradNorm(grads: readonly Tensor[], max: number): Clipped {
  checkArgument('clipGradNorm', 'max', max, aNorm)
  if (grads.length === 0) throw new ShapeError('clipGradNorm: expected at least one gradient, got none')
  // Joined as the update joins them, which is then done once; the zeros between add nothing.
  const norm = groupsOf(grads, (g) => g).map((group) => joined(group).to('f32').square().sum()).reduce((a, b) => a.add(b)).sqrt()
  const scale = minimum(scalar(norm.device, max).div(norm.add(1e-6)), 1)
  // In f32: f16 would round the factor, and has none below 6e-8.
  return { grads: grads.map((g) => g.to('f32').mul(scale).to(g.dtype)), norm, scale }
}
