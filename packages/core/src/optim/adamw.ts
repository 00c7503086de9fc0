import { adamw as op, adamwHyper } from '@antipode/kernels-wgsl'
import { checkOptions, required } from '../options/index.ts'
import { type Optimizer, optimizerOf } from './optimizer.ts'
import { decay, offset, pairOf, rate } from './ranges.ts'

/** Options of {@link adamw}; names and defaults follow `torch.optim.AdamW`. */
export interface AdamwOptions {
  /** Learning rate, 0 or more. */
  readonly lr: number
  /** Decay of the averages of gradients and of their squares, each in [0, 1); default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Added to the root of the average square, 2⁻¹²⁶ or more; default 1e-8. */
  readonly eps?: number
  /** Decoupled from the gradient, 0 or more; default 0.01. */
  readonly weightDecay?: number
}

/**
 * Adam with decoupled weight decay. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019,
 * algorithm 2. @throws {ConfigError} if an option is unknown, or outside its range
 */
export function adamw(options: AdamwOptions): Optimizer {
  checkOptions('adamw', options, { lr: required(rate), betas: pairOf(decay), eps: offset, weightDecay: rate })
  const { lr, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 } = options
  return optimizerOf({
    name: 'adamw',
    lr,
    op,
    slots: ['exp_avg', 'exp_avg_sq'],
    hyper: (rate, step) => adamwHyper({ lr: rate, beta1, beta2, eps, weightDecay }, step).subarray(0, 7),
  })
}
