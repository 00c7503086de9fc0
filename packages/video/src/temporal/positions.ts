import { constant, type DType, stack, type Tensor, type TensorHost } from '@antipode/core'

/**
 * Sinusoidal positions of frames: `[1, F, C]` with sin(f·ω_i) in channel 2i and cos(f·ω_i) in channel 2i + 1,
 * `ω_i = 10000^(−2i/C)` (Vaswani et al. 2017, section 3.5). Channels must be even.
 * @throws {ShapeError} above 1,024 frames or 2,048 channels
 */
export function framePositions(device: TensorHost, frames: number, channels: number, dtype: DType = 'f32'): Tensor {
  const half = channels / 2
  const frequencies = constant(device, Float64Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)), [1, half])
  const angles = constant(device, Float32Array.from({ length: frames }, (_, f) => f), [frames, 1]).mul(frequencies) // [F, C/2]
  return stack([angles.sin(), angles.cos()], -1).reshape([1, frames, channels]).to(dtype)
}
