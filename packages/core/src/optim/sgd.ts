import { type Op, sgd as op } from '@antipode/kernels-wgsl'
import { type Optimizer, optimizerOf } from './optimizer.ts'

/** Options of {@link sgd}; names follow `torch.optim.SGD`. */
export interface SgdOptions {
  readonly lr: number
  /** Default 0. */
  readonly momentum?: number
  /** Added to the gradient as a multiple of the parameter; default 0. */
  readonly weightDecay?: number
  /** Look ahead along the momentum; default false. */
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent with momentum. Source: Sutskever et al., "On the importance of initialization and momentum in
 * deep learning", ICML 2013. @throws {ConfigError} if the learning rate is negative
 */
export function sgd({ lr, momentum = 0, weightDecay = 0, nesterov = false }: SgdOptions): Optimizer {
  return optimizerOf({
    name: 'sgd',
    lr,
    op: op as Op,
    attrs: { nesterov },
    slots: ['momentum_buffer'],
    hyper: (rate) => [rate, momentum, weightDecay],
  })
}
