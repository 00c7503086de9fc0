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

/** One row of {@link tuningTable}: what an adapter likes, as numbers. */
export interface AdapterTuning {
  readonly adapter: AdapterClass
  /** Null where textures are read no faster than buffers: then nothing is packed. */
  readonly packing: PackingCosts | null
  /** Workgroups at most of a kernel whose workgroups stride over its work. */
  readonly workgroups: number
  /** Workgroups that keep the adapter busy: a long sum over fewer is cut into parts, which a second kernel adds. */
  readonly busy: number
  /** Rounds of a tile's inner loop that are written out: a divisor of 16. */
  readonly unroll: number
  /** How much longer a multiply-add takes in products of a few rows, such as those of low-rank adapters, than in others. */
  readonly thinProducts: number
  /** Where the numbers come from. */
  readonly measured: string
}

/**
 * The choices of kernels that are numbers, a row a class of adapters. `antipode bench --tune` measures `packing` on the
 * adapter at hand. A row changes how fast results come and how their sums are rounded, never what they are.
 */
export const tuningTable: Readonly<Record<AdapterClass, AdapterTuning>> = {
  lavapipe: {
    adapter: 'lavapipe',
    packing: { buffer: 0.07, texture: 0.025, element: 1, dispatches: 60_000 },
    workgroups: 64,
    busy: 16,
    unroll: 1,
    thinProducts: 2,
    measured: 'llvmpipe of Mesa 25.0 on two cores: products and convolutions of 1 to 1000 million multiply-adds; 0.6 µs a workgroup; products of 8 rows run at 39 GFLOPS beside 65',
  },
  software: {
    adapter: 'software',
    packing: null,
    workgroups: 64,
    busy: 16,
    unroll: 1,
    thinProducts: 2,
    measured: 'SwiftShader of Chromium on two cores: products of 256 and 512 squared are as fast from buffers as from textures; thin products as on llvmpipe, not measured',
  },
  gpu: {
    adapter: 'gpu',
    packing: null,
    workgroups: 65_535,
    busy: 512,
    unroll: 16,
    thinProducts: 2,
    measured: 'H100 by Vulkan: products of 512 to 4096 squared in f32 and f16, attention over 256 to 4,096 tokens; one workgroup a unit of work up to the limit of WebGPU; thin products as on llvmpipe, not measured',
  },
}

/** The class of an adapter by all that its driver tells of it: vendor, architecture, device and description. */
export function adapterClass(name: string): AdapterClass {
  if (/llvmpipe|lavapipe/i.test(name)) return 'lavapipe'
  return /swiftshader|\bcpu\b/i.test(name) ? 'software' : 'gpu'
}

/** The feature of subgroup matrices, which Dawn has and WebGPU not yet. */
export const matrixFeature = 'chromium-experimental-subgroup-matrix'

interface MatrixInfo {
  readonly subgroupMinSize?: number
  readonly subgroupMaxSize?: number
  readonly subgroupMatrixConfigs?: Iterable<{ readonly componentType: string; readonly resultComponentType: string; readonly M: number; readonly N: number; readonly K: number }>
}

/** Whether a device with these features, on an adapter that tells this, multiplies matrices as {@link Target.matrices} says. */
export function multipliesMatrices(features: ReadonlySet<string>, info: MatrixInfo): boolean {
  const { subgroupMinSize: min, subgroupMaxSize: max, subgroupMatrixConfigs: configs } = info
  return features.has(matrixFeature) && features.has('shader-f16') && min === 32 && max === 32 && [...configs ?? []].some((c) =>
    c.componentType === 'f16' && c.resultComponentType === 'f32' && c.M === 16 && c.N === 16 && c.K === 16)
}
