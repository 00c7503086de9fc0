import type { AdapterTuning } from '@antipode/kernels-wgsl'
import { saveTuned } from './tuning.ts'

/** Which adapter a device runs on. */
export interface AdapterDescription {
  readonly vendor: string
  readonly architecture: string
  /** The device's name; '' where the driver does not tell. */
  readonly device: string
  readonly description: string
  /** Whether it computes on the CPU. */
  readonly software: boolean
}

/** All that a driver tells of its adapter, as its class is told by and its tuning is kept under. */
export function nameOf({ vendor, architecture, device, description }: Pick<AdapterDescription, 'vendor' | 'architecture' | 'device' | 'description'>): string {
  return `${vendor} ${architecture} ${device} ${description}`
}

/**
 * Keeps a row of numbers as this user's tuning of the device's adapter: `Device.request` goes by it from now on, on this
 * adapter, with this driver and this version of the kernels. Devices that exist keep theirs, as do their plans.
 * @returns the path of the file
 * @throws {UnsupportedError} in browsers, which keep nothing @throws {ConfigError} if the file cannot be written
 */
export function saveTuning({ adapter }: { readonly adapter: AdapterDescription }, row: Pick<AdapterTuning, 'packing' | 'measured'>): Promise<string> {
  return saveTuned(nameOf(adapter), row)
}
