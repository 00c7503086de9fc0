import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { checkpoint, conv2d, Device, evaluate, gradients, groupNorm, randn, type Tensor } from '../index.ts'
import { sgd } from '../optim/index.ts'
import { interpret, largestGap, valuesOf } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const labels = (...tensors: Tensor[]): string[] => device.plan(...tensors).dispatches.map((d) => d.kernel.label)
const packing = (): boolean => device.target.textureRows > 0

/** How often norms are computed: into a buffer, packed as images, again into a buffer, and again packed by fours of images. */
function normsIn(...tensors: Tensor[]): readonly [stored: number, images: number, storedAgain: number, fours: number] {
  const all = labels(...tensors)
  const count = (is: (label: string) => boolean): number => all.filter(is).length
  return [
    count((l) => l.startsWith('norm/') && !l.includes('/packed')), count((l) => l.startsWith('norm/') && l.includes('/packed')),
    count((l) => l.startsWith('normApply/') && !l.includes('/pack-batch4')), count((l) => l.startsWith('normApply/') && l.includes('/pack-batch4')),
  ]
}

/** x, the norm's weight and bias, and a convolution's weight. */
async function leavesOf(channels: number, side: number, images = 16, dtype: 'f32' | 'f16' = 'f32'): Promise<[Tensor, Tensor, Tensor, Tensor]> {
  const leaves = [[images, channels, side, side], [channels], [channels], [16, channels, 3, 3]].map((shape, seed) => randn(device, shape, { seed, dtype }))
  await evaluate(...leaves)
  return leaves as [Tensor, Tensor, Tensor, Tensor]
}

/** Compares a tensor with what it should hold, relative to the largest of that, and disposes of it. */
async function expectClose(t: Tensor, want: Float64Array = Float64Array.of(Number.NaN), tolerance = 1e-5): Promise<void> {
  const got = await t.data()
  t.dispose()
  const scale = want.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
  expect(largestGap(want, got) / scale).toBeLessThan(tolerance)
}

/** Compares outputs with the interpreter, and disposes of them. */
async function expectRight(outputs: readonly Tensor[], leaves: readonly Tensor[], tolerance?: number): Promise<void> {
  const want = interpret(outputs, await valuesOf(leaves))
  await evaluate(...outputs)
  for (const [k, t] of outputs.entries()) await expectClose(t, want[k], tolerance)
}

test.each([
  [16, 8, 8], [64, 8, 4], [12, 4, 16], [40, 5, 6],
] as const)('a norm of %i channels in %i groups of %i pixels a side that a convolution and its gradient read is never stored', async (channels, groups, side) => {
  const leaves = await leavesOf(channels, side)
  const [x, weight, bias, w] = leaves
  for (const options of [{ weight, bias, activation: 'silu' }, { weight }, {}] as const) {
    const loss = conv2d(groupNorm(x, groups, options), w, { padding: 1 }).square().mean()
    const outputs = [loss, ...gradients(loss, [x, w])]
    if (packing()) expect(normsIn(...outputs)).toEqual([0, 1, 0, 1])
    await expectRight(outputs, leaves)
  }
  for (const t of leaves) t.dispose()
})

test('nor is one of a narrower type', async () => {
  if (!device.target.f16) return
  const leaves = await leavesOf(16, 8, 16, 'f16')
  const [x, weight, bias, w] = leaves
  const loss = conv2d(groupNorm(x, 4, { weight, bias, activation: 'silu' }), w, { padding: 1 }).square().mean()
  const outputs = [loss, ...gradients(loss, [w])]
  if (packing()) expect(normsIn(...outputs)).toEqual([0, 1, 0, 1])
  await expectRight(outputs, leaves, 5e-3)
  for (const t of leaves) t.dispose()
})

test('a norm that something else reads, or that is asked for, is stored once', async () => {
  const leaves = await leavesOf(32, 8)
  const [x, weight, bias, w] = leaves
  const read = (also: (h: Tensor) => Tensor): Tensor[] => {
    const h = groupNorm(x, 8, { weight, bias, activation: 'silu' })
    const y = also(h)
    const loss = conv2d(h, w, { padding: 1 }).square().mean()
    return [loss, y, ...gradients(loss, [x, w])]
  }
  for (const also of [(h: Tensor): Tensor => h.sum({ axes: 1 }), (h: Tensor): Tensor => h.reshape([-1]).exp(), (h: Tensor): Tensor => h]) {
    const outputs = read(also)
    expect(normsIn(...outputs)).toEqual([1, 0, 0, 0])
    await expectRight(outputs, leaves)
  }
  for (const t of leaves) t.dispose()
})

test('a norm of which two convolutions read images is stored once; one whose gradient packs no fours is stored for that alone', async () => {
  const leaves = await leavesOf(32, 8)
  const few = await leavesOf(64, 16, 2)
  for (const [[x, weight, bias, w], convolutions, norms] of [[leaves, 2, [1, 0, 0, 0]], [few, 1, [0, 1, 1, 0]]] as const) {
    const h = groupNorm(x, 8, { weight, bias })
    const loss = Array.from({ length: convolutions }, () => conv2d(h, w, { padding: 1 }).square().mean()).reduce((a, b) => a.add(b))
    const outputs = [loss, ...gradients(loss, [w])]
    expect(normsIn(...outputs)).toEqual(packing() ? norms : [1, 0, 0, 0])
    await expectRight(outputs, [...leaves, ...few])
  }
  for (const t of [...leaves, ...few]) t.dispose()
})

test('a norm whose convolution waits until its gradient was taken is stored for both', async () => {
  const leaves = await leavesOf(32, 8)
  const [x, weight, bias, w] = leaves
  const y = conv2d(groupNorm(x, 8, { weight, bias }), w, { padding: 1 })
  const [slope] = gradients(y.sum(), [w])
  const output = y.mul(slope?.mean() ?? 0)
  expect(normsIn(output)).toEqual([1, 0, 0, 0])
  await expectRight([output], leaves)
  for (const t of leaves) t.dispose()
})

test('norms inside of a checkpoint are packed in both of its passes', async () => {
  const leaves = await leavesOf(16, 8)
  const [x, , , w] = leaves
  const block = (h: Tensor): Tensor => {
    const inner = conv2d(groupNorm(h, 8, { activation: 'silu' }), w, { padding: 1 })
    return conv2d(groupNorm(inner, 8), w, { padding: 1 })
  }
  const loss = checkpoint(block, x).square().mean()
  const outputs = [loss, ...gradients(loss, [x, w])]
  // Of the second norm the gradient alone reads what is computed anew.
  if (packing()) expect(normsIn(...outputs)).toEqual([1, 3, 0, 1])
  await expectRight(outputs, leaves)
  for (const t of leaves) t.dispose()
})

test('a norm whose operand is overwritten between its readers is stored before that', async () => {
  const leaves = await leavesOf(32, 8)
  const [x, weight, bias, w] = leaves
  const values = await valuesOf(leaves)
  using optimizer = sgd({ lr: 1 })
  const y = conv2d(groupNorm(x, 8, { weight, bias, activation: 'silu' }), w, { padding: 1 })
  // A step of that length turns x into −x.
  const [turned] = optimizer.update(new Map([['x', x]]), gradients(x.square().sum(), [x]))
  if (!turned) throw new TypeError('no update')
  const [slope] = gradients(y.mul(turned.mean().exp()).sum(), [w])
  const [still] = gradients(y.mul(x.mean().neg().exp()).sum(), [w])
  if (!slope || !still) throw new TypeError('no gradient')
  const [wantY, wantSlope] = interpret([y, still], values)
  still.dispose()
  if (packing()) expect(normsIn(y, turned, slope)).toEqual([0, 1, 1, 0])
  await evaluate(y, turned, slope)
  await expectClose(y, wantY)
  await expectClose(slope, wantSlope)
  for (const t of [turned, ...leaves]) t.dispose()
})
