import { constant, type DType, stack, type Tensor, type Backend } from '@antipode/core'
import { checkArgument, oneOf, whole } from '@antipode/core/options'

/**
 * Sinusoidal positions of frames: `[1, F, C]` with sin(f·ω_i) in channel 2i and cos(f·ω_i) in channel 2i + 1,
 * `ω_i = 10000^(−2i/C)` (Vaswani et al. 2017, section 3.5). Channels must be even; dtype is f32, f16 or bf16.
 * @throws {ShapeError} above 1,024 frames or 2,048 channels @throws {ConfigError} if frames or channels are not whole, or channels odd
 */
export function framePositions(device: Backend, frames: number, channels: number, dtype: DType = 'f32'): Tensor {
  checkArgument('framePositions', 'frames', frames, whole(1))
  checkArgument('framePositions', 'channels', channels, { expected: 'an even number of 2 or more', accepts: (v) => whole(2).accepts(v) && Number(v) % 2 === 0 })
  checkArgument('framePositions', 'dtype', dtype, oneOf('f32', 'f16', 'bf16'))
  const half = channels / 2
  const frequencies = constant(device, Float64Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)), [1, half])
  const angles = constant(device, Float32Array.from({ length: frames }, (_, f) => f), [frames, 1]).mul(frequencies) // [F, C/2]
  return stack([angles.sin(), angles.cos()], -1).reshape([1, frames, channels]).to(dtype)
}
