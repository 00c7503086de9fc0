import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { float32ToFloat16, writeSafetensors } from '@antipode/core/io'
import { type Initialiser, type Module, placeholders } from '@antipode/core/nn'
import { philoxNormal } from '@antipode/core/random'
import { FakeHost } from '@antipode/core/testing'
import {
  AutoencoderKL,
  type AutoencoderKLConfig,
  type CLIPTextConfig,
  CLIPTextModel,
  CLIPTextModelWithProjection,
  UNet2DConditionModel,
  type UNet2DConfig,
} from '@antipode/models'
import { families, type FamilyName } from './configs.ts'

/** How a part is made, and what its files are called. */
interface Part {
  readonly library: 'diffusers' | 'transformers'
  readonly className: string
  readonly weights: string
  readonly extra: object
  make(init: Initialiser, config: object): Module
}

const text = {
  library: 'transformers',
  weights: 'model.safetensors',
  extra: { model_type: 'clip_text_model' },
} as const
const image = { library: 'diffusers', weights: 'diffusion_pytorch_model.safetensors', extra: {} } as const
const parts: Readonly<Record<string, Part>> = {
  unet: {
    ...image,
    className: 'UNet2DConditionModel',
    make: (init, c) => new UNet2DConditionModel(init, c as UNet2DConfig),
  },
  vae: { ...image, className: 'AutoencoderKL', make: (init, c) => new AutoencoderKL(init, c as AutoencoderKLConfig) },
  text_encoder: {
    ...text,
    className: 'CLIPTextModel',
    make: (init, c) => new CLIPTextModel(init, c as CLIPTextConfig),
  },
  text_encoder_2: {
    ...text,
    className: 'CLIPTextModelWithProjection',
    make: (init, c) => new CLIPTextModelWithProjection(init, c as CLIPTextConfig),
  },
}

/** Writes a checkpoint of the true size with seeded, made-up weights in f16, as a folder that diffusers opens too. */
export async function writeCheckpoint(family: FamilyName, folder: string, log: (line: string) => void): Promise<void> {
  const { pipeline, parts: configs, scheduler, index } = families[family]
  const json = async (path: string, value: object): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), JSON.stringify(value, null, 2))
  }
  const rows: Record<string, readonly [string, string]> = { scheduler: ['diffusers', scheduler['_class_name']] }
  for (const [name, config] of Object.entries(configs)) {
    const part = parts[name] as Part // every part of a family has a row
    rows[name] = [part.library, part.className]
    const source = part.library === 'diffusers' ? { _class_name: part.className } : { architectures: [part.className] }
    await json(`${name}/config.json`, { ...source, ...part.extra, ...config })
    const model = part.make(placeholders(new FakeHost()), config)
    log(`${name}: ${(model.parameterCount / 1e6).toFixed(0)} M parameters`)
    await writeSafetensors(join(folder, name, part.weights), entriesOf(model), { metadata: { format: 'pt' } })
    if (part.library === 'transformers') {
      const tokenizer = name.replace('text_encoder', 'tokenizer')
      rows[tokenizer] = ['transformers', 'CLIPTokenizer']
      await writeTokenizer(json, join(folder, tokenizer), tokenizer, name === 'text_encoder' ? '<|endoftext|>' : '!')
    }
  }
  await json('scheduler/scheduler_config.json', scheduler)
  await json('model_index.json', { _class_name: pipeline, _diffusers_version: '0.30.0', ...index, ...rows })
}

/** Values that all tensors are cut from: unit normals, more than any period of a layer. */
const pool = philoxNormal(1_048_583, { seed: 14 })
const scaledPools = new Map<string, Uint16Array<ArrayBuffer>>()

function* entriesOf(
  model: Module,
): Generator<{ name: string; dtype: 'F16'; shape: readonly number[]; data: () => Uint16Array<ArrayBuffer> }> {
  let offset = 0
  for (const [name, { shape, size }] of model.namedParameters()) {
    const inputs = size / (shape[0] ?? 1)
    // Norms about 1, biases about 0, embeddings as CLIP's; the rest keeps the deviation of what goes through.
    const [mean, std] =
      shape.length === 1
        ? name.endsWith('weight')
          ? [1, 0.05]
          : [0, 0.02]
        : name.includes('embedding.weight')
          ? [0, 0.3]
          : [0, 1 / Math.sqrt(inputs)]
    const start = (offset = (offset + 7919) % pool.length)
    yield { name, dtype: 'F16', shape, data: () => cut(mean as number, std as number, start, size) }
  }
}

/** `size` numbers of a deviation about a mean, from a place in the pool on, over and over. */
function cut(mean: number, std: number, start: number, size: number): Uint16Array<ArrayBuffer> {
  const key = `${mean} ${std}`
  const scaled = scaledPools.get(key) ?? (float32ToFloat16(pool.map((v) => mean + std * v)) as Uint16Array<ArrayBuffer>)
  if (scaledPools.size < 8) scaledPools.set(key, scaled)
  const values = new Uint16Array(size)
  for (let done = 0, from = start; done < size; from = 0) {
    const piece = scaled.subarray(from, Math.min(scaled.length, from + size - done))
    values.set(piece, done)
    done += piece.length
  }
  return values
}

/** A vocabulary of bytes and a few words, with the ids of CLIP's ends. */
async function writeTokenizer(
  json: (path: string, value: object) => Promise<void>,
  folder: string,
  name: string,
  pad: string,
): Promise<void> {
  const bytes = Array.from({ length: 256 }, (_, i) => i)
  const printable = [...bytes.slice(33, 127), ...bytes.slice(161, 173), ...bytes.slice(174, 256)]
  const symbols = [...printable, ...bytes.filter((b) => !printable.includes(b)).map((_, k) => 256 + k)].map((c) =>
    String.fromCodePoint(c),
  )
  const merges = [
    'p h',
    'o t',
    'ph ot',
    'phot o</w>',
    'a n',
    't r',
    'o n',
    'a s',
    'as tr',
    'astr on',
    'o r',
    'h or',
    's e</w>',
    'hor se</w>',
    'c a',
    'ca t</w>',
  ]
  const words = [...symbols, ...symbols.map((s) => `${s}</w>`), ...merges.map((m) => m.replace(' ', ''))]
  const vocab = Object.fromEntries([
    ...words.map((word, id) => [word, id] as const),
    ['<|startoftext|>', 49_406],
    ['<|endoftext|>', 49_407],
  ])
  await json(`${name}/vocab.json`, vocab)
  await writeFile(join(folder, 'merges.txt'), `#version: 0.2\n${merges.join('\n')}\n`)
  const special = {
    bos_token: '<|startoftext|>',
    eos_token: '<|endoftext|>',
    unk_token: '<|endoftext|>',
    pad_token: pad,
  }
  await json(`${name}/special_tokens_map.json`, special)
  await json(`${name}/tokenizer_config.json`, {
    tokenizer_class: 'CLIPTokenizer',
    model_max_length: 77,
    do_lower_case: true,
    add_prefix_space: false,
    errors: 'replace',
    ...special,
  })
}
