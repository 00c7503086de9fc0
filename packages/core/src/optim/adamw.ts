import { adamw as op, adamwHyper } from '@antipode/kernels-wgsl'
import { type Optimizer, optimizerOf } from './optimizer.ts'

/** Options of {@link adamw}; names and defaults follow `torch.optim.AdamW`. */
export interface AdamwOptions {
  readonly lr: number
  /** Decay of the averages of gradients and of their squares; default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly eps?: number
  /** Decoupled from the gradient; default 0.01. */
  readonly weightDecay?: number
}

/**
 * Adam with decoupled weight decay. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019,
 * algorithm 2. @throws {ConfigError} if the learning rate is negative
 */
export function adamw({ lr, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: AdamwOptions): Optimizer {
  return optimizerOf({
    name: 'adamw',
    lr,
    op,
    slots: ['exp_avg', 'exp_avg_sq'],
    hyper: (rate, step) => adamwHyper({ lr: rate, beta1, beta2, eps, weightDecay }, step).subarray(0, 7),
  })
}
