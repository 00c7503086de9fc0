import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { commands } from '../commands.ts'
import { silentProgress } from '../progress/index.ts'
import { tinyModels } from '../testing/index.ts'
import { runInspect } from '../inspect/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'antipode-convert-'))
afterAll(() => { rmSync(folder, { recursive: true }) })
const { signal } = new AbortController()
const common = { progress: silentProgress, signal, force: false }

test('a folder becomes one file, which is not replaced unless it is asked for', async () => {
  const target = join(folder, 'sdxl.safetensors')
  const { text } = await commands.convert({ source: tinyModels.sdxl, target, ...common })
  expect(text).toContain(`${target} is one file with the names of the original code\nit has no place for scheduler\n`)
  expect((await runInspect({ path: target, signal })).what).toBe('a checkpoint in one file of Stable Diffusion XL')
  await expect(commands.convert({ source: tinyModels.sd, target, ...common }))
    .rejects.toThrow(`convert: expected nothing at ${target}, got a file; pass --force to replace it`)
  await commands.convert({ source: tinyModels.sd, target, ...common, force: true })
  expect((await runInspect({ path: target, signal })).what).toBe('a checkpoint in one file of Stable Diffusion 1')
})

test('a folder with files in it is not written into, and the source is not its own target', async () => {
  writeFileSync(join(folder, 'mine'), '')
  await expect(commands.convert({ source: tinyModels.sd, target: folder, ...common })).rejects.toThrow('got a folder that is not empty')
  await expect(commands.convert({ source: tinyModels.sd, target: `${tinyModels.sd}/`, ...common, force: true }))
    .rejects.toThrow('expected TARGET to be another place than SOURCE')
  await expect(commands.convert({ source: join(folder, 'none'), target: join(folder, 'x'), ...common }))
    .rejects.toThrow('convert: expected SOURCE to be a file or a folder, got nothing')
})

test('an adapter for PEFT goes into a folder by the name that PEFT reads', async () => {
  const target = join(folder, 'peft')
  const source = join(tinyModels.sd, '../adapters/dpo.safetensors')
  const { text } = await commands.convert({ source, target, ...common, format: 'peft', model: tinyModels.sd })
  expect(text).toBe(`${join(target, 'adapter_model.safetensors')} is an adapter as peft has it\n`)
  expect(existsSync(join(target, 'adapter_config.json'))).toBe(true)
})
