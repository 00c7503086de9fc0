import { Device } from '@antipode/core'
import { readSafetensors } from '@antipode/core/io'
import { loadPipeline } from '@antipode/pipelines'

/** What is drawn, and what it is compared with. */
export interface FullSizeRun {
  readonly model: string
  readonly golden: string
  readonly dtype: 'f16' | 'f32'
  readonly side: number
  readonly steps: number
  readonly log: (line: string) => void
}

/** How far a tensor is from the reference, over its root mean square. */
interface Gap {
  readonly what: string
  /** Root of the mean squared difference, over that of the reference. */
  readonly relative: number
  readonly largest: number
  readonly seconds: number
}

export interface FullSizeResult {
  readonly loadSeconds: number
  readonly gaps: readonly Gap[]
  /** Bytes of the GPU at most: after loading, and in all. */
  readonly loadedBytes: number
  readonly peakBytes: number
  /** Of this process, at most, in bytes. */
  readonly residentBytes: number
  /** Seconds of the reference for the same parts, on the CPU. */
  readonly referenceSeconds: readonly number[]
  readonly equal: boolean
}

/** Half precision has 11 bits: a network of some hundred layers keeps about two digits of them. */
const bounds = { f16: 2e-2, f32: 1e-3 } as const

/** Draws from prompt to picture, and holds every step to the reference. */
export async function compareRun({ model, golden, dtype, side, steps, log }: FullSizeRun): Promise<FullSizeResult> {
  await using device = await Device.request()
  await using file = await readSafetensors(golden)
  const gaps: Gap[] = []
  const begin = performance.now()
  using pipe = await loadPipeline(device, model, { dtype })
  const loadSeconds = (performance.now() - begin) / 1000
  const loadedBytes = device.memory().live
  log(`loaded in ${loadSeconds.toFixed(1)} s: ${(loadedBytes / 2 ** 30).toFixed(2)} GiB`)
  const prompt = {
    prompt: file.metadata['prompt'] ?? '',
    negativePrompt: file.metadata['negative'] ?? '',
    height: side,
    width: side,
    steps,
    guidanceScale: 7.5,
    seed: 0,
  }
  let since = performance.now()
  const compare = async (what: string, values: ArrayLike<number>): Promise<void> => {
    const seconds = (performance.now() - since) / 1000
    const want = await file.readFloat32(what)
    const gap = { what, ...distance(values, want), seconds }
    gaps.push(gap)
    log(
      `${what}: ${gap.relative.toExponential(2)} of its size, ${seconds.toFixed(1)} s, peak ${(device.memory().peak / 2 ** 30).toFixed(2)} GiB`,
    )
    since = performance.now()
  }
  for await (const { index, steps: count, latents } of pipe.stream(prompt)) {
    await compare(`latents.${index}`, await latents.data())
    if (index < count - 1 || !file.tensors.has('pixels')) continue
    const pixels = await pipe.decode(latents)
    await compare('pixels', await pixels.data())
    pixels.dispose()
  }
  return {
    loadSeconds,
    gaps,
    loadedBytes,
    peakBytes: device.memory().peak,
    residentBytes: process.resourceUsage().maxRSS * 1024,
    referenceSeconds: JSON.parse(file.metadata['seconds'] ?? '[]') as number[], // what full_size.py writes
    equal: gaps.every(({ relative }) => relative < bounds[dtype]),
  }
}

/** How far numbers are from those wanted. */
export function distance(got: ArrayLike<number>, want: Float32Array): Pick<Gap, 'relative' | 'largest'> {
  let [gap, size, largest] = [0, 0, 0]
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs((got[i] ?? Number.NaN) - want[i]!)
    gap += difference ** 2
    size += want[i]! ** 2
    largest = Math.max(largest, difference)
  }
  return { relative: got.length === want.length ? Math.sqrt(gap / size) : Number.NaN, largest }
}
