import { DisposedError } from '../errors.ts'
import { Tensor } from './tensor.ts'

/**
 * Another tensor on the memory of one: either is disposed without the other, and the last frees it.
 * @throws {DisposedError} unless the tensor owns its value
 */
export function share({ device, spec, source }: Tensor): Tensor {
  if (source.kind !== 'storage') throw new DisposedError('share: expected a tensor that owns its value; evaluate it first')
  return new Tensor(device, spec, { kind: 'storage', storage: source.storage.retain() })
}
