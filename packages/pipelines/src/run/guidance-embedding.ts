import { constant, type Tensor } from '@antipode/core'
import type { Components, Conditions } from './family.ts'

/** Whether a UNet was distilled to know the scale of guidance, so that it needs no negative branch. */
export function knowsGuidance({ config }: Components['unet']): boolean {
  return (config.time_cond_proj_dim ?? 0) > 0
}

/**
 * The conditions of such a UNet: the scale as waves, `[rows, time_cond_proj_dim]`. Source: Luo et al. 2023, arXiv
 * 2310.04378; diffusers `get_guidance_scale_embedding`.
 */
export function withGuidance({ unet }: Components, { positive }: Conditions, scale: number, rows: number): Conditions {
  return {
    positive: {
      ...positive,
      timestepCond: guidanceEmbedding(unet.device, scale, unet.config.time_cond_proj_dim ?? 0, rows),
    },
    negative: undefined,
  }
}

function guidanceEmbedding(device: Tensor['device'], scale: number, width: number, rows: number): Tensor {
  const half = Math.floor(width / 2)
  const angles = Array.from(
    { length: half },
    (_, i) => 1000 * (scale - 1) * Math.exp((-Math.log(10_000) * i) / (half - 1)),
  )
  const waves = [...angles.map(Math.sin), ...angles.map(Math.cos), ...new Array<number>(width % 2).fill(0)]
  return constant(device, waves, [1, width]).expand([rows, width])
}
