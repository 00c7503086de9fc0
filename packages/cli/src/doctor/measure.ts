import { type Device, evaluate, randn, type Tensor } from '@antipode/core'
import type { Progress } from '../progress/index.ts'
import type { CopyRate, MatmulRate, Measurements } from './doctor-report.ts'

/** How to measure. */
export interface MeasureOptions {
  readonly progress: Progress
  readonly signal: AbortSignal
  /** A monotonic clock in milliseconds. */
  readonly now: () => number
}

/** Milliseconds that each measurement may take, beside compiling. */
const budget = 450
/** Runs are timed together until they last this long, since one alone may drown in the cost of waiting for it. */
const shortest = 10
/** Matrix product entries that are checked. */
const checked = 48

/** Largest error that rounding explains: inputs and sums in f32, or f16 inputs with an f16 result. */
const tolerance = { f32: 1e-5, f16: 2e-3 } as const

/** Measures what a device does in a second. @throws the reason of `signal` once it is aborted */
export async function measure(device: Device, { progress, signal, now }: MeasureOptions): Promise<Measurements> {
  const begun = now()
  const software = device.adapter.software
  // Large enough to fill a GPU, small enough for the software adapters of two cores.
  const size = software ? 512 : 2048
  const { maxStorageBufferBindingSize, maxBufferSize } = device.gpu.limits
  const bytes = Math.min((software ? 16 : 128) * 2 ** 20, maxStorageBufferBindingSize, maxBufferSize)
  const dtypes = device.target.f16 ? (['f32', 'f16'] as const) : (['f32'] as const)
  const phase = progress.phase('measuring', dtypes.length + 3)
  const matmul: MatmulRate[] = []
  const time = async (run: () => Promise<void>): Promise<number> => {
    const best = await bestOf(device, run, { signal, now })
    phase.advance()
    return best
  }
  for (const dtype of dtypes) matmul.push(await measureMatmul(device, dtype, size, time))
  const copy = await measureCopy(device, bytes, time)
  const { elementwise, readback } = await measureTensors(device, bytes, time)
  phase.done()
  return { matmul, copy, elementwise, readback, seconds: (now() - begun) / 1000 }
}

type Time = (run: () => Promise<void>) => Promise<number>

async function measureMatmul(device: Device, dtype: 'f32' | 'f16', size: number, time: Time): Promise<MatmulRate> {
  using a = randn(device, [size, size], { seed: 1, dtype })
  using b = randn(device, [size, size], { seed: 2, dtype })
  await evaluate(a, b)
  const milliseconds = await time(async () => {
    using product = a.matmul(b)
    await evaluate(product)
  })
  using product = a.matmul(b)
  const error = await matmulError(a, b, product)
  return { dtype, size, milliseconds, gflops: (2 * size ** 3) / milliseconds / 1e6, error, correct: error <= tolerance[dtype] }
}

/** Largest difference of some entries of `a·b` from their float64 value, over the largest of these. NaN counts as infinite. */
async function matmulError(a: Tensor, b: Tensor, product: Tensor): Promise<number> {
  const size = a.shape[0] ?? 0
  const [left, right, got] = [await a.data(), await b.data(), await product.data()]
  let largest = 0
  let difference = 0
  for (let k = 0; k < checked; k++) {
    // Spread over all rows and columns, the last among them.
    const row = Math.floor(((k + 1) * size) / checked) - 1
    const column = (row * 389 + k) % size
    let sum = 0
    for (let i = 0; i < size; i++) sum += (left[row * size + i] ?? 0) * (right[i * size + column] ?? 0)
    const off = Math.abs((got[row * size + column] ?? Number.NaN) - sum)
    difference = Math.max(difference, Number.isNaN(off) ? Infinity : off)
    largest = Math.max(largest, Math.abs(sum))
  }
  // JSON has no infinity.
  return Math.min(difference / largest, Number.MAX_VALUE)
}

async function measureCopy({ gpu }: Device, bytes: number, time: Time): Promise<CopyRate> {
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const from = gpu.createBuffer({ label: 'doctor/from', size: bytes, usage })
  const to = gpu.createBuffer({ label: 'doctor/to', size: bytes, usage })
  try {
    return copyRate(bytes, await time(async () => {
      const encoder = gpu.createCommandEncoder()
      encoder.copyBufferToBuffer(from, 0, to, 0, bytes)
      gpu.queue.submit([encoder.finish()])
    }))
  } finally {
    from.destroy()
    to.destroy()
  }
}

async function measureTensors(device: Device, bytes: number, time: Time): Promise<{ elementwise: CopyRate; readback: CopyRate }> {
  using x = randn(device, [bytes / 4], { seed: 3 })
  await evaluate(x)
  const elementwise = copyRate(bytes, await time(async () => {
    using y = x.mul(2)
    await evaluate(y)
  }))
  using part = x.slice(0, 0, 2 ** 20).mul(1)
  await evaluate(part)
  const readback = copyRate(part.size * 4, await time(async () => { await part.data() }))
  return { elementwise, readback }
}

const copyRate = (bytes: number, milliseconds: number): CopyRate =>
  ({ bytes, milliseconds, gigabytesPerSecond: bytes / milliseconds / 1e6 })

/** Milliseconds of the fastest run: compiled and warmed up first, then as often as the budget allows, at least three times. */
export async function bestOf(
  device: Pick<Device, 'sync'>, run: () => Promise<void>, { signal, now }: Pick<MeasureOptions, 'signal' | 'now'>,
): Promise<number> {
  const timed = async (repeats: number): Promise<number> => {
    signal.throwIfAborted()
    const begun = now()
    for (let i = 0; i < repeats; i++) await run()
    await device.sync()
    return (now() - begun) / repeats
  }
  await timed(1)
  const once = await timed(1)
  const repeats = Math.max(1, Math.min(100, Math.ceil(shortest / once)))
  let best = Infinity
  const until = now() + budget
  for (let runs = 0; runs < 3 || now() < until; runs++) best = Math.min(best, await timed(repeats))
  return best
}
