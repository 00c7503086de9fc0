import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Prepared, Problem, Runner, Timing } from '../workload.ts'
import { learningRate } from '../workloads/index.ts'

type Answer = Readonly<Record<string, unknown>>

const script = join(import.meta.dirname, '../../python/worker.py')

/** A library of Python in a process below this one; it takes its own times, and arrays travel in files. */
export async function open(module: string, mode?: string): Promise<Runner> {
  // Where these are set they hold OpenBLAS to kernels for older processors.
  const { OPENBLAS_CORETYPE: _type, OPENBLAS_L2_SIZE: _size, ...env } = process.env
  const child = spawn('python3', [script, module, ...(mode === undefined ? [] : [mode])], { stdio: ['pipe', 'pipe', 'ignore'], env })
  child.stdin.on('error', () => undefined)
  const folder = mkdtempSync(join(tmpdir(), 'antipode-bench-arrays-'))
  process.once('exit', () => {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  // Told to end while Python computes, this process takes it along.
  process.once('SIGTERM', () => process.exit())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<Answer> => {
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      // Libraries print notices of their own.
      if (!line.value.startsWith('{"worker":')) continue
      const { worker } = JSON.parse(line.value) as { readonly worker: Answer }
      if (typeof worker['problem'] === 'string') throw new TypeError(worker['problem'])
      return worker
    }
    throw new TypeError(`${module}: expected an answer, but the process of Python ended`)
  }
  const ask = async (request: Readonly<Record<string, unknown>>): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    return answer()
  }
  const { version, adapter } = await answer()
  return {
    name: mode === 'compile' ? `${module}.compile` : module, version: String(version), adapter: String(adapter), software: false,
    prepare: (problem) => prepare(ask, folder, problem),
    forget: async () => { await ask({ do: 'forget' }) },
  }
}

async function prepare(ask: (request: Answer) => Promise<Answer>, folder: string, { kind, inputs, dtype = 'f32', repeats }: Problem): Promise<Prepared> {
  const files = Object.entries(inputs).map(([name, { shape, data }]) => {
    const file = join(folder, `${name}.f32`)
    writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    return [name, { file, shape }] as const
  })
  await ask({ do: 'prepare', kind, dtype, repeats: repeats ?? null, learningRate, inputs: Object.fromEntries(files) })
  for (const [, { file }] of files) rmSync(file)
  return {
    run: async () => { await ask({ do: 'run' }) },
    wait: async () => { await ask({ do: 'wait' }) },
    async read() {
      const { files } = await ask({ do: 'read', folder }) as { readonly files: readonly string[] }
      return files.map((file) => {
        const { buffer } = Uint8Array.from(readFileSync(file))
        rmSync(file)
        return new Float32Array(buffer)
      })
    },
    time: async (runs) => await ask({ do: 'time', runs }) as unknown as Timing, // as the worker writes it
  }
}
