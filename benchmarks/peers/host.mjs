import { create, globals } from 'webgpu'

/** Gives libraries made for browsers the `navigator.gpu` they look for. Dawn's object must stay referenced. */
export async function browserLike() {
  Object.assign(globalThis, globals)
  const gpu = create([])
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node', hardwareConcurrency: 2 }, configurable: true })
  const { info } = await gpu.requestAdapter()
  return { adapter: info.description, software: /llvmpipe|swiftshader/i.test(`${info.description} ${info.architecture}`) }
}
