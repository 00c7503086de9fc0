import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePng } from '@antipode/pipelines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../commands.ts'
import { readPicture } from '../../pictures.ts'
import { FakeProcess } from '../../testing/index.ts'

const colours = { red: [220, 30, 30], blue: [40, 60, 220] } as const
const side = 16
let folder = ''

const tower = { hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1, num_attention_heads: 2, projection_dim: 16 }
/** As small as models of these classes are, in the latents of 4×4 places. */
const config = {
  vae: { block_out_channels: [16, 16, 16], norm_num_groups: 4 },
  text_config: { ...tower, max_position_embeddings: 8 },
  vision_config: { ...tower, patch_size: 4 },
  unet: {
    block_out_channels: [32, 32], down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'], attention_head_dim: 2, norm_num_groups: 8,
  },
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'antipode-pictures-'))
  await mkdir(join(folder, 'data'))
  for (const [name, [r, g, b]] of Object.entries(colours)) {
    const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => [r, g, b][i % 3] ?? 0)
    await writeFile(join(folder, 'data', `${name}.png`), encodePng({ data, width: side, height: side }))
    await writeFile(join(folder, 'data', `${name}.txt`), `a ${name} square\n${name}\n`)
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a model trained on captioned pictures draws what its prompt says', { timeout: 240_000 }, async () => {
  const run = async (argv: string): Promise<Record<string, unknown>> => {
    const process = new FakeProcess()
    const code = await process.run(`--json ${argv.replaceAll('@', `${folder}/`)}`, commands)
    expect(process.err.split('\n').filter((line) => line.startsWith('error')), argv).toEqual([])
    expect(code).toBe(0)
    return JSON.parse(process.out) as Record<string, unknown>
  }
  const common = `--data @data --config @config.json --side ${side} --warmup 10 --checkpoint-every 1000 --ema 0`
  const vae = await run(`train autoencoder ${common} --batch 4 --steps 120 --learning-rate 0.005 --sample-every 120 --out @vae`)
  expect((vae['last'] as { metrics: { pixels: number } }).metrics.pixels).toBeLessThan(0.1)
  expect(await readdir(join(folder, 'vae/samples'))).toEqual(['000120.png'])
  const clip = await run(`train clip ${common} --vocabulary 600 --batch 2 --steps 40 --learning-rate 0.003 --shift 0 --out @clip`)
  expect((clip['last'] as { metrics: { accuracy: number } }).metrics.accuracy).toBe(1)
  const base = await run(
    `train base ${common} --autoencoder @vae/model --clip @clip/model --batch 8 --steps 120 --learning-rate 0.002 --sample-every 0 --out @base`,
  )
  expect(base['pictures']).toBe(2)
  // A checkpoint that there is goes on from where it was.
  const further = await run(`train base --data @data --from @base/model --side ${side} --batch 8 --steps 2 --warmup 0 --sample-every 0 --out @further`)
  expect((further['last'] as { loss: number }).loss).toBeLessThan(0.6)
  expect(await readFile(join(folder, 'further/model/tokenizer/vocab.json'), 'utf8')).toBe(await readFile(join(folder, 'base/model/tokenizer/vocab.json'), 'utf8'))
  const index = JSON.parse(await readFile(join(folder, 'base/model/model_index.json'), 'utf8')) as Record<string, unknown>
  expect(index['_class_name']).toBe('StableDiffusionPipeline')
  expect(Object.keys(index).filter((name) => !name.startsWith('_')).sort()).toEqual([
    'feature_extractor', 'requires_safety_checker', 'safety_checker', 'scheduler', 'text_encoder', 'tokenizer', 'unet', 'vae',
  ])
  const names = Object.keys(colours)
  const drawn = await run(`generate --model @base/model ${names.map((name) => `--prompt ${name}`).join(' ')} --steps 8 --guidance 2 --out @drawn`)
  const { images } = drawn as { images: readonly { file: string }[] }
  for (const [i, [name, want]] of Object.entries(colours).entries()) {
    const { data } = await readPicture(images[i]?.file ?? '')
    const mean = [0, 1, 2].map((c) => data.filter((_, i) => i % 4 === c).reduce((a, b) => a + b, 0) / (side * side))
    const distance = Math.hypot(...mean.map((v, c) => v - want[c]!))
    // Colours are 290 apart.
    expect(distance, name).toBeLessThan(40)
  }
  // And the CLIP judges what the model draws.
  await writeFile(join(folder, 'study.json'), JSON.stringify({
    model: 'base/model', arms: { base: {}, same: {} }, scales: [2], items: { evaluation: 2, selection: 1 }, batch: 2, steps: 4,
    prompts: names, metrics: { judge: { reward: 'clip-score', files: 'clip/model' } },
  }))
  await run('eval run @study.json --out @eval')
  const { comparison: { cells } } = JSON.parse(await readFile(join(folder, 'eval/evaluation.json'), 'utf8')) as
    { comparison: { cells: { means: { judge: number } }[] } }
  expect(cells).toHaveLength(2)
  for (const { means: { judge } } of cells) expect(judge).toBeGreaterThan(5) // a hundred times the cosine, which for the other colour is below 0.02
})
