import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Stages } from './stages.ts'

let directory: string
beforeEach(() => { directory = join(mkdtempSync(join(tmpdir(), 'antipode-stages-')), 'work') })
afterEach(() => { rmSync(join(directory, '..'), { recursive: true, force: true }) })

/** A stage that gives `value`, and how often it was computed. */
function stage(value: number): { compute: () => Promise<{ x: { shape: number[]; data: Float32Array } }>; runs: () => number } {
  let runs = 0
  return {
    compute: () => {
      runs++
      return Promise.resolve({ x: { shape: [2, 1], data: Float32Array.of(value, 1 / 3) } })
    },
    runs: () => runs,
  }
}

const file = (): string => join(directory, 'pairs.safetensors')

describe('Stages', () => {
  test('a finished stage is read back to the bit instead of being computed again', async () => {
    const [first, second] = [stage(1), stage(2)]
    const computed = await new Stages(directory, 'a', true).of('pairs', first.compute)
    const read = await new Stages(directory, 'a', true).of('pairs', second.compute)
    expect([first.runs(), second.runs()]).toEqual([1, 0])
    expect(read).toEqual(computed)
    expect(read.x.shape).toEqual([2, 1])
  })

  test('stages have a file each, and a stage that fails leaves none', async () => {
    const stages = new Stages(directory, 'a', true)
    await stages.of('pairs', stage(1).compute)
    await expect(stages.of('images', () => Promise.reject(new Error('stopped')))).rejects.toThrow('stopped')
    expect(readdirSync(directory)).toEqual(['pairs.safetensors'])
    expect((await stages.of('images', stage(2).compute)).x.data[0]).toBe(2)
    expect((await stages.of('pairs', stage(3).compute)).x.data[0]).toBe(1)
  })

  test('without resuming, and for another recipe, a stage is computed anew and overwrites the file', async () => {
    await new Stages(directory, 'a', true).of('pairs', stage(1).compute)
    expect((await new Stages(directory, 'a', false).of('pairs', stage(2).compute)).x.data[0]).toBe(2)
    expect((await new Stages(directory, 'b', true).of('pairs', stage(3).compute)).x.data[0]).toBe(3)
    expect((await new Stages(directory, 'b', true).of('pairs', stage(4).compute)).x.data[0]).toBe(3)
  })

  test('a damaged file counts as none: its stage is computed again, and the others stay', async () => {
    const stages = new Stages(directory, 'a', true)
    await stages.of('other', stage(9).compute)
    await stages.of('pairs', stage(1).compute)
    const intact = readFileSync(file())
    for (const damage of [() => { truncateSync(file(), intact.length - 1) }, () => { truncateSync(file(), 0) }, () => { writeFileSync(file(), 'no tensors') }]) {
      damage()
      const again = stage(1)
      expect((await stages.of('pairs', again.compute)).x.data[0]).toBe(1)
      expect(again.runs()).toBe(1)
      expect(readFileSync(file()).equals(intact)).toBe(true)
    }
    expect((await stages.of('other', stage(0).compute)).x.data[0]).toBe(9)
  })

  test('clearing forgets the stages and their folder, and a folder that is not there is no error', async () => {
    const stages = new Stages(directory, 'a', true)
    await stages.clear()
    await stages.of('pairs', stage(1).compute)
    expect(stages.runPath('eta')).toBe(join(directory, 'eta.run.safetensors'))
    await stages.clear()
    expect(existsSync(directory)).toBe(false)
  })
})
