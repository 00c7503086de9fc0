import type { TestHost } from '../src/testing.ts'
import { adapterClass, matrixFeature, multipliesMatrices, tuningTable } from '../src/tuning.ts'

/** A device with the features that kernels use, and its target as core would report it. */
export async function softwareTarget(adapter: GPUAdapter): Promise<TestHost> {
  const features = (['shader-f16', 'subgroups', matrixFeature] as const).filter((f) => adapter.features.has(f as GPUFeatureName))
  const device = await adapter.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits: {
      maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage,
      maxTextureDimension2D: adapter.limits.maxTextureDimension2D,
      maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
    },
  })
  const { info } = adapter
  const name = `${info.vendor} ${info.architecture} ${info.description}`.trim()
  const fixed = info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMaxSize : 0
  const tuning = tuningTable[adapterClass(name)]
  return {
    device,
    name,
    target: {
      kind: tuning.adapter === 'gpu' ? 'gpu' : 'software',
      f16: device.features.has('shader-f16'),
      subgroupSize: device.features.has('subgroups' as GPUFeatureName) ? fixed : 0,
      textureRows: tuning.packing ? device.limits.maxTextureDimension2D : 0,
      matrices: multipliesMatrices(device.features, info),
      workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
      tuning,
    },
  }
}
