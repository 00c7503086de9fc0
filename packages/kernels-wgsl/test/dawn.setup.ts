import { create, globals } from 'webgpu'
import { softwareTarget } from './target.ts'

// One Dawn device for all files of a worker, each of which runs this: pipelines made for one file serve the next.
if (!globalThis.kernelTestHost) {
  Object.assign(globalThis, globals)
  // Subgroup matrices, and f16 on NVIDIA, as core asks for them.
  const gpu = create(['enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia'])
  const adapter = await gpu.requestAdapter()
  if (!adapter) throw new Error('no WebGPU adapter: run `npm run setup`, which installs a software one')
  // The object from create() must stay referenced while tests run.
  globalThis.kernelTestHost = Object.assign(await softwareTarget(adapter), { gpu })
}
