import { concat, constant, type Tensor } from '@antipode/core'
import type { CLIPTextModel, CLIPTextOutput } from '@antipode/models'
import type { PromptTokens } from './tokens.ts'

/** What a text encoder makes of prompts, `[prompts · chunks, tokens, …]`; nothing is computed yet. */
export function encode(encoder: CLIPTextModel, { ids }: PromptTokens): CLIPTextOutput {
  return encoder.forward(rowsOf(encoder.device, ids, 'i32'))
}

/**
 * States of an encoder as the context of prompts, `[prompts · chunks, tokens, width]` -> `[prompts, chunks · tokens,
 * width]`. Where tokens have weights their states are multiplied by them, and all then so that their mean is as before.
 * Source: AUTOMATIC1111's web UI, and the community pipeline `lpw_stable_diffusion.py` of diffusers.
 */
export function contextFrom(states: Tensor, { chunks, weights }: PromptTokens): Tensor {
  const [rows = 1, tokens = 1, width = 1] = states.shape
  const whole = [rows / chunks, chunks * tokens, width]
  if (!weights) return states.reshape(whole)
  const before = states.to('f32').reshape(whole)
  const after = before.mul(rowsOf(states.device, weights, 'f32').reshape([rows / chunks, chunks * tokens, 1]))
  const mean = (t: Tensor): Tensor => t.mean({ axes: [1, 2], keepDims: true })
  return after.mul(mean(before).div(mean(after))).to(states.dtype)
}

/** Of each prompt what its first chunk gives: `[prompts · chunks, width]` -> `[prompts, width]`. */
export function firstChunks(pooled: Tensor, { chunks }: PromptTokens): Tensor {
  const [rows = 1, width = 1] = pooled.shape
  return pooled.reshape([rows / chunks, chunks, width]).slice(1, 0, 1).squeeze(1)
}

/** Each row of a batch `[B, …]` a number of times, next to each other: `[B·copies, …]`. */
export function repeatRows(t: Tensor, copies: number): Tensor {
  if (copies === 1) return t
  const [rows = 1, ...rest] = t.shape
  return t.unsqueeze(1).expand([rows, copies, ...rest]).reshape([rows * copies, ...rest])
}

/** Numbers that belong to the graph, which holds a few at a time. */
function rowsOf(device: Tensor['device'], rows: readonly (readonly number[])[], dtype: 'i32' | 'f32'): Tensor {
  const parts = rows.map((row) => constant(device, [...row], [1, row.length], { dtype }))
  return parts.length === 1 ? parts[0]! : concat(parts)
}
