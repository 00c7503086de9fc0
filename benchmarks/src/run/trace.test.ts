import { expect, test } from 'vitest'
import { traced } from './trace.ts'

class GPUDevice {
  createBuffer({ size }: { size: number }): { size: number } { return { size } }
  createBindGroup(): void { return }
}
class GPUQueue { submit(): void { return } }
class GPUComputePassEncoder { dispatchWorkgroups(): void { return } }
const classes = { GPUDevice, GPUQueue, GPUComputePassEncoder }

test('calls are counted while a run is traced, and no longer', async () => {
  const [device, queue, pass] = [new GPUDevice(), new GPUQueue(), new GPUComputePassEncoder()]
  const methods = [GPUDevice.prototype.createBuffer, GPUQueue.prototype.submit]
  const trace = await traced(async () => {
    expect(device.createBuffer({ size: 64 })).toEqual({ size: 64 })
    device.createBuffer({ size: 100 })
    device.createBindGroup()
    for (let i = 0; i < 3; i++) pass.dispatchWorkgroups()
    queue.submit()
    await Promise.resolve()
  }, classes)
  expect(trace).toEqual({ dispatches: 3, submits: 1, bindGroups: 1, buffers: 2, bytes: 164 })
  expect([GPUDevice.prototype.createBuffer, GPUQueue.prototype.submit]).toEqual(methods)
})

test('a run that fails leaves the classes as they were, and where there is no WebGPU nothing is counted', async () => {
  const method = GPUQueue.prototype.submit
  await expect(traced(() => Promise.reject(new TypeError('no')), classes)).rejects.toThrow('no')
  expect(GPUQueue.prototype.submit).toBe(method)
  let ran = false
  expect(await traced(async () => { ran = true }, {})).toBeUndefined()
  expect(ran).toBe(false)
})
