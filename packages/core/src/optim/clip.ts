import { ShapeError } from '../errors.ts'
import { minimum } from '../functional/index.ts'
import { scalar, type Tensor } from '../graph/index.ts'
import { groupsOf, joined } from './groups.ts'

/** What {@link clipGradNorm} gives, all of it lazy. */
export interface Clipped {
  readonly grads: Tensor[]
  /** Norm of all gradients together before clipping, f32, rank 0. */
  readonly norm: Tensor
  /** The factor that clips, f32, rank 0: pass it with the unclipped gradients as `gradScale` and save a kernel each. */
  readonly scale: Tensor
}

/**
 * Scales gradients so that their norm, taken over all of them together, is at most `max`: by `min(1, max / (norm + 1e-6))`,
 * as `torch.nn.utils.clip_grad_norm_` does. Source: Pascanu et al. 2013, algorithm 1.
 */
export function clipGradNorm(grads: readonly Tensor[], max: number): Clipped {
  if (grads.length === 0) throw new ShapeError('clipGradNorm: expected at least one gradient, got none')
  // Joined as the update joins them, which is then done once; the zeros between add nothing.
  const norm = groupsOf(grads, (g) => g).map((group) => joined(group).to('f32').square().sum()).reduce((a, b) => a.add(b)).sqrt()
  const scale = minimum(scalar(norm.device, max).div(norm.add(1e-6)), 1)
  return { grads: grads.map((g) => g.mul(scale.to(g.dtype))), norm, scale }
}
