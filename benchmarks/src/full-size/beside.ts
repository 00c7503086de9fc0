import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readSafetensors } from '@antipode/core/io'
import { median } from '../statistics.ts'

/** What a process answers to a message: seconds, and the gap from torch's output as a share of its size. */
export interface UNetRun {
  readonly wall: number
  readonly cpu: number
  readonly gap: number
}

/** Which UNet is run beside onnxruntime, and how often by each. */
export interface BesideRun {
  readonly model: string
  /** The folder that `tools/golden/onnx_unet.py` wrote. */
  readonly golden: string
  readonly dtype: 'f16' | 'f32'
  readonly rounds: number
  readonly log: (line: string) => void
}

export interface BesideResult {
  /** Medians of seconds, after a first run in which kernels are compiled, and the largest gap from torch's output. */
  readonly libraries: Readonly<Record<string, { readonly first: number } & UNetRun>>
  /** Of the reference, on the CPU. */
  readonly torchSeconds: number
  /** How many times the others take as long as ours: by wall clock, and by CPU time; NaN where outputs differ. */
  readonly ratios: Readonly<Record<string, { readonly wall: number; readonly cpu: number }>>
  readonly equal: boolean
}

/** Of root mean squares: outputs further from torch's than this make a comparison void. */
const bounds = { f16: 2e-2, f32: 1e-3 } as const

/** Runs one UNet by each library in a process of its own, in turns, all on the same adapter, and holds outputs to torch's. */
export async function compareLibraries({ model, golden, dtype, rounds, log }: BesideRun): Promise<BesideResult> {
  await using file = await readSafetensors(join(golden, 'golden.safetensors'))
  const torch = JSON.parse(file.metadata['seconds'] ?? '[]') as number[] // what onnx_unet.py writes
  const children = new Map<string, ChildProcess>()
  const runs = new Map<string, UNetRun[]>()
  try {
    for (const name of ['antipode', 'onnxruntime-node']) {
      const child = fork(join(import.meta.dirname, 'unet-process.ts'), [name, model, golden, dtype])
      children.set(name, child)
      await answerOf(child)
      log(`${name}: loaded`)
    }
    for (let round = 0; round <= rounds; round++) {
      for (const [name, child] of children) {
        child.send('run')
        const answer = await answerOf(child)
        runs.set(name, [...(runs.get(name) ?? []), answer as UNetRun]) // the answer to a run
        log(`${name}: ${JSON.stringify(answer)}`)
      }
    }
  } finally {
    for (const child of children.values()) child.kill()
  }
  const libraries = Object.fromEntries([...runs].map(([name, [first, ...rest]]) => [name, {
    first: first?.wall ?? Number.NaN,
    wall: median(rest.map(({ wall }) => wall)),
    cpu: median(rest.map(({ cpu }) => cpu)),
    gap: Math.max(...[first, ...rest].map((run) => run?.gap ?? Number.NaN)),
  }]))
  const equal = Object.values(libraries).every(({ gap }) => gap < bounds[dtype])
  const own = libraries['antipode']
  const over = (x: number, y: number | undefined): number => (equal ? x / (y ?? Number.NaN) : Number.NaN)
  return {
    libraries, equal, torchSeconds: median(torch.slice(-2)),
    ratios: Object.fromEntries(Object.entries(libraries).filter(([name]) => name !== 'antipode')
      .map(([name, { wall, cpu }]) => [name, { wall: over(wall, own?.wall), cpu: over(cpu, own?.cpu) }])),
  }
}

/** What a process says next. @throws {TypeError} with its problem, or if it ends instead */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [{ problem: 'its process ended without a word' }])])) as [unknown]
  if (answer !== null && typeof answer === 'object' && 'problem' in answer) throw new TypeError(String(answer.problem))
  return answer
}
