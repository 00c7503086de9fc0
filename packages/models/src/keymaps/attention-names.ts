import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { rename } from './rename.ts'

/**
 * What diffusers' first `AttentionBlock` called its layers, by their names since. Source: its
 * `_convert_deprecated_attention_blocks`.
 */
const names: Readonly<Record<string, string>> = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' }

/**
 * A checkpoint whose attention blocks may have the names of early diffusers: `query`, `key`, `value` and `proj_attn`.
 */
export function attentionNames(checkpoint: Checkpoint): StateSource {
  const layer = /(?<=\battentions\.\d+\.)(query|key|value|proj_attn)(?=\.(weight|bias)$)/
  return rename(checkpoint, (name) => name.replace(layer, (old) => names[old] ?? old))
}
