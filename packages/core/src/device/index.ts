export { type AdapterDescription, Device, type DeviceCounters, type DeviceOptions, evaluate, saveTuning } from './device.ts'
export type { CompileProgress } from './pipelines.ts'
export type { DispatchTime, HostSpan, KernelTime, Profile } from './profile.ts'
