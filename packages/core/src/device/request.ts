import {
  adapterClass, type AdapterTuning, matrixFeature, multipliesMatrices, type Target, tuningTable,
} from '@antipode/kernels-wgsl'
import { gpu } from '#gpu'
import { UnsupportedError } from '../errors.ts'
import { type AdapterDescription, nameOf } from './adapter.ts'
import { checkDeviceOptions, type DeviceOptions } from './options.ts'
import { savedTuning } from './tuning.ts'

/** A WebGPU device, and what is known of the adapter behind it. */
export interface OpenedDevice {
  /** To be held as long as the device: Dawn ends with its entry point. */
  readonly entry: GPU
  readonly gpu: GPUDevice
  readonly adapter: AdapterDescription
  readonly target: Target
}

// One of them only Dawn knows.
const wantedFeatures = ['shader-f16', 'subgroups', 'timestamp-query', matrixFeature] as GPUFeatureName[]
const wantedLimits = [
  'maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage', 'maxComputeWorkgroupStorageSize',
  'maxTextureDimension2D',
] as const satisfies readonly (keyof GPUSupportedLimits)[]

/**
 * Asks the host for a device with every feature and limit the adapter has.
 * @throws {UnsupportedError} if there is no WebGPU or no adapter; the message says what to install
 * @throws {ConfigError} if an option is none, or this user's tuning of the adapter is damaged; the message names its
 * file
 */
export async function openDevice(options: DeviceOptions): Promise<OpenedDevice> {
  checkDeviceOptions(options)
  const { powerPreference, flags = [], tuning = 'saved', signal } = options
  signal?.throwIfAborted()
  const entry = await gpu(flags)
  const adapter = await entry.requestAdapter(powerPreference ? { powerPreference } : {})
  if (!adapter) {
    throw new UnsupportedError(
      'Device.request: no WebGPU adapter was found; install a Vulkan, Metal or D3D12 driver, ' +
      'or Mesa 25 or newer (lavapipe) to compute on the CPU: `antipode doctor` says how',
    )
  }
  const { info, limits } = adapter
  const row = tuningTable[adapterClass(nameOf(info))]
  const chosen = tuning === 'saved' ? await savedTuning(nameOf(info), row)
    : tuning === 'built-in' ? row : tuning
  const device = await adapter.requestDevice({
    requiredFeatures: wantedFeatures.filter((f) => adapter.features.has(f)),
    requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, limits[name]])),
  })
  const software = row.adapter !== 'gpu'
  const { vendor, architecture, device: name, description } = info
  return {
    entry,
    gpu: device,
    adapter: { vendor, architecture, device: name, description, software },
    target: targetOf(entry, device, info, software, chosen),
  }
}

function targetOf(
  entry: GPU, { features, limits }: GPUDevice, info: GPUAdapterInfo, software: boolean, tuning: AdapterTuning,
): Target {
  const lanes = info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMaxSize : 0
  const textures = tuning.packing && entry.wgslLanguageFeatures.has('readonly_and_readwrite_storage_textures')
  return {
    kind: software ? 'software' : 'gpu',
    f16: features.has('shader-f16'),
    subgroupSize: features.has('subgroups') ? lanes : 0,
    textureRows: textures ? limits.maxTextureDimension2D : 0,
    matrices: multipliesMatrices(features, info),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    bindingBytes: limits.maxStorageBufferBindingSize,
    tuning,
  }
}
