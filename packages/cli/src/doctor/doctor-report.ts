import type { Target } from '@antipode/kernels-wgsl'

/** Version of the JSON that `antipode doctor --json` prints; it grows when a reader of an older one would misread it. */
export const DOCTOR_SCHEMA_VERSION = 1

/** What `antipode doctor` found; `--json` prints exactly this. */
export interface DoctorReport {
  readonly schemaVersion: typeof DOCTOR_SCHEMA_VERSION
  /** Whether Antipode can compute here; the exit code is 0 if so and 1 if not. */
  readonly ok: boolean
  readonly host: HostReport
  /** `null` where there is no adapter. */
  readonly gpu: GpuReport | null
  readonly verdict: Verdict
}

/** The machine and its software. */
export interface HostReport {
  /** As "Debian GNU/Linux 12 (bookworm)". */
  readonly system: string
  /** Node's name of the platform: 'linux', 'darwin', 'win32', … */
  readonly platform: string
  /** Node's name of the processor family: 'x64', 'arm64', … */
  readonly arch: string
  /** As "AMD EPYC 7763 64-Core Processor"; '' where the system does not tell. */
  readonly processor: string
  /** Processors that this process may use. */
  readonly cores: number
  /** Bytes. */
  readonly memory: number
  /** Bytes. */
  readonly freeMemory: number
  /** As "20.20.2". */
  readonly node: string
  /** Versions of the packages that matter; `null` for one that is not installed. */
  readonly packages: Readonly<Record<string, string | null>>
}

/** The adapter, and what it can do. */
export interface GpuReport {
  readonly vendor: string
  readonly architecture: string
  /** The device's name; '' where the driver does not tell. */
  readonly device: string
  /** On Vulkan the driver's name and version. */
  readonly description: string
  /** Whether it computes on the CPU. */
  readonly software: boolean
  /** What kernels are chosen by. */
  readonly target: Target
  /** WebGPU features that Antipode turned on. */
  readonly features: readonly string[]
  /** WebGPU limits of the device, by their names in the specification. */
  readonly limits: Readonly<Record<string, number>>
  readonly measured: Measurements
  /** Largest use of GPU memory while measuring, in bytes. */
  readonly peakMemory: number
}

/** Rates, each the best of several runs after a warm-up. */
export interface Measurements {
  readonly matmul: readonly MatmulRate[]
  /** Buffer to buffer by a copy command. */
  readonly copy: CopyRate
  /** Buffer to buffer by an elementwise kernel. */
  readonly elementwise: CopyRate
  /** Buffer to JavaScript array, through `Tensor.data()`. */
  readonly readback: CopyRate
  /** How long measuring took, compiling included. */
  readonly seconds: number
}

/** A square matrix product of normal noise. */
export interface MatmulRate {
  readonly dtype: 'f32' | 'f16'
  /** Rows and columns. */
  readonly size: number
  /** Of the best run. */
  readonly milliseconds: number
  /** 2·size³ operations in that time, in 10⁹ a second. */
  readonly gflops: number
  /** Largest difference from a float64 product on the CPU, over the largest entry; checked on some entries. */
  readonly error: number
  /** Whether `error` is within what the rounding of `dtype` explains. */
  readonly correct: boolean
}

/** How fast bytes arrive. */
export interface CopyRate {
  /** Bytes moved in one run. */
  readonly bytes: number
  /** Of the best run. */
  readonly milliseconds: number
  /** Bytes that arrived, in 10⁹ a second; reading and writing a byte counts once. */
  readonly gigabytesPerSecond: number
}

/** What it comes down to. */
export interface Verdict {
  /**
   * `gpu`: a real GPU; `software`: an adapter on the CPU; `wrong`: an adapter that computes wrong numbers; `no-adapter`;
   * `no-package`: `webgpu` is not installed; `broken-package`: it is, and cannot be loaded.
   */
  readonly status: 'gpu' | 'software' | 'wrong' | 'no-adapter' | 'no-package' | 'broken-package'
  /** One or two sentences. */
  readonly text: string
  /** What to do, line by line; commands are indented by two spaces. Empty when nothing needs doing. */
  readonly advice: readonly string[]
}
