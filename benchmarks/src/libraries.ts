import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Kind, Runner, SharedKind, Workload } from './workload.ts'

/** One of the libraries that are measured beside each other. */
export interface Peer {
  /** Loads it, in the process that is to run it. */
  readonly open: () => Promise<Runner>
  /** What it can be asked for. */
  readonly does: (workload: Pick<Workload, 'kind' | 'dtype'>) => boolean
  /** Why it cannot be run here; undefined if it can. */
  readonly missing: () => string | undefined
  /** Whether it is run only when asked for by name. */
  readonly onRequest?: boolean
  /** Whether one process serves all workloads: it takes seconds to start, and no driver compiles shaders for it. */
  readonly lasting?: boolean
}

const folder = join(import.meta.dirname, '../peers')
const own: readonly Kind[] = ['digitsStep', 'digitsDpo', 'unetEighth', 'schedulerStep']
const inference: readonly Kind[] = ['matmul', 'conv3x3', 'attention', 'groupNormSilu', 'feedForward', 'add', 'addChain', 'matmulChain'] satisfies SharedKind[]

type Does = Peer['does']
const except = (...kinds: readonly Kind[]): Does => ({ kind }) => !own.includes(kind) && !kinds.includes(kind)
/** Of halves too; the others are asked for f32 alone, though some could do more. */
const inFull = (does: Does): Does => (workload) => workload.dtype !== 'f16' && does(workload)

const installed = (name: string) => (): string | undefined =>
  existsSync(join(folder, 'node_modules', name)) ? undefined : 'not installed; `npm run bench:peers` does that'

/** Whether Python has a module, as a first look told: that takes seconds. */
const modules = new Map<string, boolean>()

const has = (module: string): boolean => {
  const known = modules.get(module) ?? spawnSync('python3', ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
  modules.set(module, known)
  return known
}

/** A library of Python. */
const python = (module: string, mode?: string): Pick<Peer, 'open' | 'missing' | 'lasting'> => ({
  open: async () => (await import('./python/index.ts')).open(module, mode),
  missing: () => (has(module) ? undefined : `python3 has no ${module}`),
  lasting: true,
})

/** Every library by name; the first is ours. */
export const libraries: Readonly<Record<string, Peer>> = {
  antipode: { open: async () => (await import('./antipode/index.ts')).open(), does: () => true, missing: () => undefined },
  tfjs: {
    // Peers without types of their own are plain JavaScript.
    open: async () => (await import('../peers/tfjs.mjs' as string) as { open: () => Promise<Runner> }).open(),
    does: inFull(except()), missing: installed('@tensorflow/tfjs-backend-webgpu'),
  },
  'jax-js': {
    open: async () => (await import('../peers/jax.mjs' as string) as { open: () => Promise<Runner> }).open(),
    does: inFull(except()), missing: installed('@jax-js/jax'),
  },
  'onnxruntime-node': {
    open: async () => (await import('./onnx/index.ts')).openNode(), does: inFull(({ kind }) => inference.includes(kind)), missing: installed('onnxruntime-node'),
  },
  'onnxruntime-web': {
    open: async () => (await import('./onnx/index.ts')).openWeb(), does: inFull(({ kind }) => inference.includes(kind)), missing: installed('onnxruntime-web'),
  },
  // It has no error function, hence no GELU, and nobody trains with it.
  numpy: { ...python('numpy'), does: inFull(except('geglu', 'feedForward', 'trainStep')) },
  torch: { ...python('torch', 'eager'), does: except(), onRequest: true },
  'torch.compile': { ...python('torch', 'compile'), does: except(), onRequest: true },
}
