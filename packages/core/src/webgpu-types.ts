/**
 * The type of a WebGPU object as the user's project knows it: from the types of browsers, from `@webgpu/types`, or `unknown` where there
 * are neither, so that a project that never touches such an object compiles without them.
 */
type WebGpu<Name extends string> = typeof globalThis extends Readonly<Record<Name, { readonly prototype: infer Instance }>> ? Instance : unknown

export type GpuBuffer = WebGpu<'GPUBuffer'>
export type GpuDevice = WebGpu<'GPUDevice'>
export type GpuComputePipeline = WebGpu<'GPUComputePipeline'>
