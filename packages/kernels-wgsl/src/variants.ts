/** What kernels are chosen by beside features: adapters of one class like the same. */
export type AdapterClass = 'lavapipe' | 'software' | 'gpu'

/** What a product costs in nanoseconds, by which packing its operands into textures is weighed against reading buffers. */
export interface PackingCosts {
  /** A multiply-add on operands as they lie in buffers. */
  readonly buffer: number
  /** A multiply-add on packed operands, those of incomplete blocks included. */
  readonly texture: number
  /** An element packed. */
  readonly element: number
  /** The dispatches that packing adds to a product, beside the work in them. */
  readonly dispatches: number
}

/** One row of {@link variantTable}: what an adapter likes, as numbers. */
export interface Variants {
  readonly adapter: AdapterClass
  /** Null where textures are read no faster than buffers: then nothing is packed. */
  readonly packing: PackingCosts | null
  /** Workgroups at most of a kernel whose workgroups stride over its work. */
  readonly workgroups: number
  /** Workgroups that keep the adapter busy: a long sum over fewer is cut into parts, which a second kernel adds. */
  readonly busy: number
  /** Where the numbers come from. */
  readonly measured: string
}

/**
 * The choices of kernels that are numbers, a row a class of adapters. `antipode bench --tune` measures `packing` on the
 * adapter at hand. A row changes how fast results come and how their sums are rounded, never what they are.
 */
export const variantTable: Readonly<Record<AdapterClass, Variants>> = {
  lavapipe: {
    adapter: 'lavapipe',
    packing: { buffer: 0.05, texture: 0.025, element: 1.2, dispatches: 100_000 },
    workgroups: 64,
    busy: 16,
    measured: 'llvmpipe of Mesa 25.0 on two cores: products and convolutions of 1 to 1000 million multiply-adds; 0.6 µs a workgroup',
  },
  software: {
    adapter: 'software',
    packing: null,
    workgroups: 64,
    busy: 16,
    measured: 'SwiftShader of Chromium on two cores: products of 256 and 512 squared are as fast from buffers as from textures',
  },
  gpu: {
    adapter: 'gpu',
    packing: null,
    workgroups: 65_535,
    busy: 512,
    measured: 'not measured: one workgroup a unit of work up to the limit of WebGPU, and enough of them for a hundred processors',
  },
}

/** The class of an adapter by all that its driver tells of it: vendor, architecture, device and description. */
export function adapterClass(name: string): AdapterClass {
  if (/llvmpipe|lavapipe/i.test(name)) return 'lavapipe'
  return /swiftshader|\bcpu\b/i.test(name) ? 'software' : 'gpu'
}
