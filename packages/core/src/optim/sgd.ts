import { type Op, sgd as op } from '@antipode/kernels-wgsl'
import { ConfigError } from '../errors.ts'
import { between, checkOptions, flag, required } from '../options/index.ts'
import { type Optimizer, optimizerOf } from './optimizer.ts'
import { rate } from './ranges.ts'

/** Options of {@link sgd}; names follow `torch.optim.SGD`. */
export interface SgdOptions {
  /** Learning rate, 0 or more. */
  readonly lr: number
  /** Share of the last step that the next one keeps, in [0, 1]; default 0. */
  readonly momentum?: number
  /** Added to the gradient as a multiple of the parameter, 0 or more; default 0. */
  readonly weightDecay?: number
  /** Look ahead along the momentum, of which there must be some; default false. */
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent with momentum. Source: Sutskever et al., "On the importance of initialization and momentum in
 * deep learning", ICML 2013. @throws {ConfigError} if an option is unknown, or outside its range
 */
export function sgd(options: SgdOptions): Optimizer {
  checkOptions('sgd', options, { lr: required(rate), momentum: between(0, 1), weightDecay: rate, nesterov: flag })
  const { lr, momentum = 0, weightDecay = 0, nesterov = false } = options
  if (nesterov && momentum === 0) throw new ConfigError('sgd: expected a momentum to look ahead along, got nesterov without one; set momentum')
  return optimizerOf({
    name: 'sgd',
    lr,
    op: op as Op,
    attrs: { nesterov },
    slots: ['momentum_buffer'],
    hyper: (rate) => [rate, momentum, weightDecay],
  })
}
