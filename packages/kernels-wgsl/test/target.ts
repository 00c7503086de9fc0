import type { TestHost } from '../src/testing.ts'

/** A device with the features that kernels use, and its target as core would report it. */
export async function softwareTarget(adapter: GPUAdapter): Promise<TestHost> {
  const features = (['shader-f16', 'subgroups'] as const).filter((f) => adapter.features.has(f))
  const device = await adapter.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits: {
      maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage,
      maxTextureDimension2D: adapter.limits.maxTextureDimension2D,
    },
  })
  const { info } = adapter
  const name = `${info.vendor} ${info.architecture} ${info.description}`.trim()
  const fixed = info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMaxSize : 0
  return {
    device,
    name,
    target: {
      kind: /llvmpipe|swiftshader|lavapipe|cpu/i.test(name) ? 'software' : 'gpu',
      f16: device.features.has('shader-f16'),
      subgroupSize: device.features.has('subgroups' as GPUFeatureName) ? fixed : 0,
      textureRows: /llvmpipe|lavapipe/i.test(name) ? device.limits.maxTextureDimension2D : 0,
    },
  }
}
