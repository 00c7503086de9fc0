import { Storage, Tensor } from '../graph/index.ts'
import type { GpuBuffer } from '../webgpu-types.ts'
import type { Module } from './module.ts'

/**
 * A copy of a model for plans alone: its parameters take no memory and have no values, whether those of the model are
 * on the device or not. Adapters are the model's own. To run it is an error; dispose its parameters.
 * @example
 * const { peakBytes } = device.plan(standIn(unet).forward(latents, timesteps, condition))
 */
export function standIn<M extends Module>(model: M): M {
  return model.withParameters(new Map([...model.namedParameters()].map(([name, t]) => [name, absent(t)])))
}

/** A tensor that graphs can read, and nothing can run. */
function absent({ device, spec, byteLength }: Tensor): Tensor {
  // No device ever sees the buffer.
  const storage = new Storage({ size: byteLength } as GpuBuffer, byteLength, () => undefined)
  return new Tensor(device, spec, { kind: 'storage', storage })
}
