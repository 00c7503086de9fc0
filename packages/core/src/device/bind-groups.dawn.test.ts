import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, type Tensor, tensor } from '../index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

/** Sums along a chain that no two runs have the leaves of in common: bind groups of every run are new. */
async function chain(links: number): Promise<void> {
  const leaves = Array.from({ length: links }, () => tensor(device, [1, 2], [2, 1]))
  let x: Tensor = leaves[0]!
  for (const leaf of leaves.slice(1)) x = x.matmul(leaf, { transposeB: true }).sum({ axes: [1], keepDims: true })
  await evaluate(x)
  for (const t of [x, ...leaves]) t.dispose()
}

test.skipIf(process.platform !== 'linux')('bind groups that are forgotten are given back to the driver', async () => {
  const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').split('\n').length
  await chain(40)
  const [before, { bindGroups }] = [mappings(), device.counters()]
  // Buffers that are held meanwhile make those of the next runs others.
  const held: Tensor[] = []
  for (let run = 0; run < 400; run++) {
    if (run % 10 === 0) held.push(...Array.from({ length: 40 }, () => tensor(device, [1, 2], [2, 1])))
    await chain(40)
  }
  for (const t of held) t.dispose()
  const made = device.counters().bindGroups - bindGroups
  expect(made).toBeGreaterThan(12_000)
  expect(mappings() - before).toBeLessThan(made)
})
