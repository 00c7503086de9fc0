import type { Tensor } from '@antipode/core'
import type { GroupNorm } from '@antipode/core/nn'

/** Activations by the names of diffusers' configurations. */
export const activations = ['silu', 'swish', 'mish', 'gelu', 'relu'] as const

/** One of {@link activations}; `swish` is SiLU too, `gelu` the exact one. */
export type Activation = (typeof activations)[number]

/** The activation of a name. `mish` is x·tanh(softplus(x)): Misra 2019, arXiv 1908.08681. */
export function activate(x: Tensor, name: Activation): Tensor {
  if (name === 'mish') return x.mul(x.softplus().tanh())
  if (name === 'gelu') return x.gelu()
  return name === 'relu' ? x.relu() : x.silu()
}

/** A norm and the activation behind it, in one kernel where that is SiLU. */
export function normActivate(norm: GroupNorm, x: Tensor, name: Activation): Tensor {
  return name === 'silu' || name === 'swish' ? norm.forward(x, { activation: 'silu' }) : activate(norm.forward(x), name)
}
