import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The part of onnxruntime's interface that is used here; its packages are no dependency of this one. */
export interface Ort {
  readonly Tensor: {
    new(type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor
    fromGpuBuffer(buffer: GPUBuffer, options: { readonly dataType: 'float32'; readonly dims: readonly number[] }): OrtTensor
  }
  /** A session is made of a model's bytes, or of the path of its file. */
  readonly InferenceSession: { create(model: Uint8Array | string, options: Readonly<Record<string, unknown>>): Promise<OrtSession> }
  readonly env: {
    readonly versions: Readonly<Record<string, string | undefined>>
    logLevel?: string
    readonly wasm: { numThreads?: number; wasmPaths?: string }
    readonly webgpu: { readonly device: Promise<GPUDevice> | GPUDevice }
  }
}

/** A tensor of onnxruntime, in the memory of the CPU or the GPU. */
export interface OrtTensor {
  readonly data: unknown
  getData(): Promise<unknown>
  dispose(): void
}

/** A model that is ready to run. */
export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>
  release(): Promise<void>
}

const packages = join(import.meta.dirname, '../../peers/node_modules')

/** A file of the peers' packages, whether or not they export it. */
export async function peerModule(path: string): Promise<Ort> {
  const module = await import(pathToFileURL(join(packages, path)).href) as Ort & { readonly default?: Ort }
  return module.default ?? module
}

/** Version of a package of the peers. */
export function peerVersion(name: string): string {
  return (JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')) as { readonly version: string }).version
}
