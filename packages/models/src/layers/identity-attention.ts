import { ConfigError, type Tensor } from '@antipode/core'
import type { MultiHeadAttention } from '@antipode/core/nn'
import type { Wrapper } from './pass.ts'

/**
 * Around a self-attention: every token sees itself alone, so that its value goes on as it is. This is the perturbed
 * branch of perturbed-attention guidance (Ahn et al. 2024, https://arxiv.org/abs/2403.17377).
 */
export function identityAttention({ toV, toOut }: MultiHeadAttention): Wrapper {
  return (_run, [x, context]) => {
    if (!context) return toOut[0].forward(toV.forward(x as Tensor))
    throw new ConfigError(
      'identityAttention: expected an attention of tokens to themselves, got one to a context; choose another layer',
    )
  }
}
