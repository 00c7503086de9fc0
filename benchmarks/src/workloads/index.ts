import { schedulerSolvers, type SolverName } from '../models/index.ts'
import type { Workload } from '../workload.ts'
import { attention } from './attention.ts'
import { addChain, matmulChain } from './chains.ts'
import { conv } from './conv.ts'
import { add, feedForward, geglu, groupNormSilu } from './layers.ts'
import { matmul } from './matmul.ts'
import { digitsDpo, digitsStep, unetEighth } from './models.ts'
import { schedulerStep } from './scheduler-step.ts'
import { trainStep } from './train-step.ts'

export { learningRate } from './train-step.ts'

/** Images of the convolutions: channels and side. */
const images = [[64, 64], [320, 32]] as const
/** Attention's queries and keys. */
const sequences = [[1024, 1024], [4096, 4096], [1024, 77], [4096, 77]] as const

const everyday: readonly Workload[] = [
  ...[256, 512, 1024, 2048].map((n) => matmul([n, n, n])),
  matmul([77, 768, 768]),
  matmul([300, 260, 200]),
  ...[1, 4, 16].map((m) => matmul([m, 2048, 2048])),
  ...images.flatMap(([channels, side]) => (['conv3x3', 'conv3x3Input', 'conv3x3Weight'] as const).map((kind) => conv(kind, channels, side))),
  ...sequences.flatMap(([n, m]) => (['attention', 'attentionGrad'] as const).map((kind) => attention(kind, n, m))),
  groupNormSilu(), geglu(), feedForward(), add(),
  addChain(), matmulChain(),
  trainStep(),
  digitsStep(), digitsDpo(), unetEighth(),
  ...(Object.keys(schedulerSolvers) as SolverName[]).map(schedulerStep),
]

/** Too much for a software adapter; `gpu.sh` asks for them. */
const large: readonly Workload[] = [matmul([4096, 4096, 4096]), matmul([4096, 4096, 4096], 'f16')]

const byId = new Map([...everyday, ...large].map((workload) => [workload.id, workload]))

/** Ids of all workloads, the large ones at the end. */
export const workloadIds: readonly string[] = [...byId.keys()]

/** A workload by its id. @throws {TypeError} if there is none */
export function workloadOf(id: string): Workload {
  const known = byId.get(id)
  if (!known) throw new TypeError(`benchmarks: expected one of ${workloadIds.join(', ')}, got ${id}`)
  return known
}

/**
 * Workloads by id, or by the words that several ids begin with (`matmul`, `conv3x3-64x64x64`); everything but the large ones
 * where nothing is asked for. In the order of the report. @throws {TypeError} if a name fits none
 */
export function workloadsOf(names: readonly string[]): Workload[] {
  if (names.length === 0) return [...everyday]
  const fits = (name: string, id: string): boolean => id === name || id.startsWith(`${name}-`)
  for (const name of names) if (!workloadIds.some((id) => fits(name, id))) workloadOf(name)
  // A large one must be named in full.
  return [...byId.values()].filter((w) => names.some((name) => name === w.id || fits(name, w.id) && everyday.includes(w)))
}
