import { tensor, type Tensor } from '@antipode/core'
import { encodeSafetensors, readSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { adapterNames, Linear, Module, removeAdapter } from '@antipode/core/nn'
import { adamw, ema, type Optimizer } from '@antipode/core/optim'
import type { Rng } from '@antipode/core/random'
import { FakeHost } from '@antipode/core/testing'
import { loadAdapter } from '@antipode/models'
import { loadRun, saveRun } from '@antipode/npo'
import * as schedulers from '@antipode/schedulers'
import { mutateJson, mutateSafetensors, pick } from './mutate.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** How a file reaches its reader. */
export type Way = 'bytes' | 'Blob' | 'file' | 'address'

/** One kind of file: how a sound one is spoilt, and what reads it. */
export interface Target {
  readonly ways: readonly Way[]
  /** Files by name; the first is what `read` is given. */
  readonly make: (random: Rng) => ReadonlyMap<string, Bytes>
  readonly read: (source: string | Blob | Uint8Array, random: Rng) => Promise<void>
}

const encode = (text: string): Bytes => new TextEncoder().encode(text)
const entry = (name: string, dtype: 'F32' | 'F16' | 'BF16' | 'I64' | 'U8' | 'F8_E4M3', shape: readonly number[], width: number): SafetensorsEntry => ({
  name, dtype, shape, data: new Uint8Array(shape.reduce((a, b) => a * b, width)).fill(60),
})

const plain = encodeSafetensors([
  entry('a.weight', 'F32', [2, 3], 4), entry('b', 'F16', [4], 2), entry('c', 'BF16', [], 2), entry('d', 'I64', [1], 8), entry('e', 'F8_E4M3', [3], 1), entry('none', 'U8', [0], 1),
], { format: 'pt', recipe: '{"steps": 3}' })
const shards = ['one', 'two'].map((name) => encodeSafetensors([entry(name, 'F32', [2], 4)]))
const index = JSON.stringify({ metadata: { total_size: 16 }, weight_map: { one: 'm-1.safetensors', two: 'm-2.safetensors' } })

class Layers extends Module {
  readonly fc: Linear

  constructor(weight: Tensor) {
    super()
    this.fc = new Linear(weight)
  }
}
const alphaForms: Readonly<Record<string, string>>[] = [{ lora_alpha: '4' }, { ss_network_alpha: '4', ss_network_dim: '2' }, { lora_adapter_metadata: '{"lora_alpha":4,"r":2,"rank_pattern":{},"alpha_pattern":{"fc":8},"use_rslora":false}' }]
const pair = (a: string, b: string): SafetensorsEntry[] => [entry(a, 'F32', [2, 4], 4), entry(b, 'F32', [3, 2], 4)]
const adapters = [
  ...alphaForms.map((metadata) => encodeSafetensors(pair('fc.lora_A.weight', 'fc.lora_B.weight'), metadata)),
  encodeSafetensors([...pair('lora_unet_fc.lora_down.weight', 'lora_unet_fc.lora_up.weight'), entry('lora_unet_fc.alpha', 'F32', [], 4)]),
  encodeSafetensors([...pair('unet.fc.lora.down.weight', 'unet.fc.lora.up.weight'), entry('unet.fc.lora_mid.weight', 'F32', [2, 2, 1, 1], 4)]),
  encodeSafetensors([entry('fc.diff', 'F32', [3, 4], 4)]),
]

const configs = Object.values<unknown>(schedulers).filter((value): value is () => schedulers.Scheduler => typeof value === 'function' && 'classNames' in value)
  .map((solver) => JSON.stringify(schedulers.toConfig(solver())))

/** A run of one parameter with all that a checkpoint carries, on a host without a GPU. */
class Run implements Disposable {
  readonly device = new FakeHost()
  readonly optimizer: Optimizer = adamw({ lr: 1 })
  readonly ema = ema(0.9)
  readonly parameters = new Map([['w', this.#ones()]])

  #ones(): Tensor {
    return tensor(this.device, [1, 1], [2])
  }

  async save(path: string): Promise<void> {
    this.optimizer.load({ step: 3, tensors: new Map([['w.exp_avg', this.#ones()], ['w.exp_avg_sq', this.#ones()]]) })
    this.ema.load({ step: 3, tensors: new Map([['w.ema', this.#ones()]]) })
    await saveRun(this, 3, { path, recipe: 'fuzz' })
  }

  [Symbol.dispose](): void {
    for (const owned of [this.optimizer, this.ema]) owned[Symbol.dispose]()
    for (const t of this.parameters.values()) t.dispose()
  }
}

/** Saves a sound run for the target `run` to spoil. */
export async function saveSoundRun(path: string): Promise<void> {
  using run = new Run()
  await run.save(path)
}

const anyWay: readonly Way[] = ['bytes', 'Blob', 'file', 'address']
/** The silence of a server that a fuzzed read bears, in milliseconds. */
const timeout = 40

/** What is fuzzed; a sound run is given as bytes. */
export function targetsOf(soundRun: Bytes): Readonly<Record<string, Target>> {
  return {
    safetensors: {
      ways: anyWay,
      make: (random) => new Map([['m.safetensors', mutateSafetensors(random, random.int(3) === 0 ? soundRun : plain)]]),
      async read(source, random) {
        await using file = await readSafetensors(source, { timeout, verify: random.int(4) === 0 })
        for await (const { bytes, name } of file.stream()) if (bytes.byteLength !== file.tensors.get(name)?.byteLength) throw new TypeError(`${name}: a wrong number of bytes`)
        const last = [...file.tensors.keys()].at(-1)
        if (last !== undefined) await file.readFloat32(last)
      },
    },
    index: {
      ways: ['file', 'address'],
      make: (random) => new Map([
        ['m.safetensors.index.json', encode(random.int(4) > 0 ? mutateJson(random, index) : index)],
        ...shards.map((shard, i) => [`m-${i + 1}.safetensors`, random.int(4) === 0 ? mutateSafetensors(random, shard) : shard] as const),
      ]),
      async read(source) {
        await using file = await readSafetensors(source, { timeout })
        for await (const _ of file.stream());
      },
    },
    run: {
      ways: ['file'],
      make: (random) => {
        const spoilt = mutateSafetensors(random, soundRun)
        // A change can undo itself; a run must be refused for any other.
        return new Map([['m.safetensors', Buffer.compare(spoilt, soundRun) === 0 ? new Uint8Array(0) : spoilt]])
      },
      async read(source) {
        using run = new Run()
        const step = await loadRun(run.device, run, { path: String(source), recipe: 'fuzz' })
        throw new TypeError(`a run with another byte was taken, at step ${step}`)
      },
    },
    adapter: {
      ways: anyWay,
      make: (random) => new Map([['m.safetensors', mutateSafetensors(random, pick(random, adapters))]]),
      async read(source) {
        const device = new FakeHost()
        using weight = tensor(device, new Float32Array(12), [3, 4])
        const model = new Layers(weight)
        const error = await loadAdapter(model, source, { name: 'fuzzed' }).then(() => undefined, (reason: unknown) => reason)
        for (const name of adapterNames(model)) removeAdapter(model, name)
        const left = device.memory().tensors
        if (left !== 1) throw new TypeError(`${left - 1} tensors were left behind`)
        if (error !== undefined) throw error
      },
    },
    config: {
      ways: ['bytes'],
      make: (random) => new Map([['scheduler_config.json', encode(mutateJson(random, pick(random, configs)))]]),
      async read(source, random) {
        const text = new TextDecoder().decode(source as Uint8Array) // its only way
        const known = random.int(2) === 0 ? text : parsed(text)
        schedulers.fromConfig(known).timesteps(1 + random.int(12))
      },
    },
  }
}

function parsed(text: string): string | object {
  try {
    return JSON.parse(text) as object // or whatever else it is
  } catch {
    return text
  }
}
