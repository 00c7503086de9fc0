import { ConfigError } from '@antipode/core'
import type { MultiHeadAttention } from '@antipode/core/nn'
import { attending } from './attending.ts'
import type { Wrapper } from './pass.ts'

/**
 * Around a self-attention: every token sees itself alone, so that its value goes on as it is. This is the perturbed
 * branch of perturbed-attention guidance (Ahn et al. 2024, https://arxiv.org/abs/2403.17377).
 */
export function identityAttention(attention: MultiHeadAttention): Wrapper {
  const identity = attending(attention, () => (_queries, _keys, values) => values)
  return (run, inputs, pass) => {
    if (inputs.length === 1) return identity(run, inputs, pass)
    throw new ConfigError(
      'identityAttention: expected an attention of tokens to themselves, got one to a context; choose another layer',
    )
  }
}
