export { type AdapterDescription, Device, type DeviceCounters, type DeviceOptions, evaluate } from './device.ts'
export type { KernelTime } from './profiler.ts'
