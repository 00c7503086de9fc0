import { Device } from '@antipode/core'
import { readSafetensors } from '@antipode/core/io'
import { loadPipeline, type MemoryPlan } from '@antipode/pipelines'

/** What is drawn, and what it is compared with. */
export interface FullSizeRun {
  readonly model: string
  /** Without it nothing is compared: a run tells times and memory. */
  readonly golden: string | undefined
  readonly dtype: RunType
  readonly side: number
  readonly steps: number
  /** Bytes of the GPU, if they are limited. */
  readonly budget: number | undefined
  /** Whether the picture is decoded too; so it is where the reference has it. */
  readonly decode: boolean
  readonly log: (line: string) => void
}

/** A part of a run, and how far what it gave is from the reference. */
interface Gap {
  readonly what: string
  /** Root of the mean squared difference, over that of the reference. */
  readonly relative?: number
  readonly largest?: number
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

/**
 * Half precision has 11 bits: a network of some hundred layers keeps about two digits of them. The reference has the
 * weights in f32, so that blocks are held to what their rounding costs too, 0.4% and 7% of each weight.
 */
const bounds = { f16: 2e-2, f32: 1e-3, q8_0: 5e-2, q4_0: 5e-1 } as const

/** What the models keep their weights in. */
export type RunType = keyof typeof bounds

/** Whether an option names a {@link RunType}. */
export function isRunType(value: string): value is RunType {
  return Object.hasOwn(bounds, value)
}

/** What is drawn where no reference says it. */
const drawn = { prompt: 'a photo of an astronaut on a horse', negative: 'blurry' } as const

/** Draws from prompt to picture, and holds every step to the reference. */
export async function compareRun(run: FullSizeRun): Promise<FullSizeResult> {
  const { model, golden, dtype, side, steps, budget, log } = run
  await using device = await Device.request()
  await using file = golden === undefined ? undefined : await readSafetensors(golden)
  const told = file?.metadata ?? drawn
  const gaps: Gap[] = []
  const begin = performance.now()
  using pipe = await loadPipeline(device, model, { dtype, ...(budget === undefined ? {} : { budget }) })
  const loadSeconds = (performance.now() - begin) / 1000
  const loadedBytes = device.memory().live
  log(`loaded in ${loadSeconds.toFixed(1)} s: ${(loadedBytes / 2 ** 30).toFixed(2)} GiB`)
  const prompt = {
    prompt: told['prompt'] ?? '',
    negativePrompt: told['negative'] ?? '',
    height: side,
    width: side,
    steps,
    guidanceScale: 7.5,
    seed: 0,
    onPlan: ({ peak, choices }: MemoryPlan) => log(`planned: ${(peak / 2 ** 30).toFixed(2)} GiB, ${JSON.stringify(choices)}`),
  }
  let since = performance.now()
  const compare = async (what: string, values: ArrayLike<number>): Promise<void> => {
    const seconds = (performance.now() - since) / 1000
    const gap: Gap = { what, ...(file ? distance(values, await file.readFloat32(what)) : {}), seconds }
    gaps.push(gap)
    const far = gap.relative === undefined ? '' : `${gap.relative.toExponential(2)} of its size, `
    const [peak, resident] = [device.memory().peak, process.resourceUsage().maxRSS * 1024].map((n) => (n / 2 ** 30).toFixed(2))
    log(`${what}: ${far}${seconds.toFixed(1)} s, peak ${peak} GiB on the GPU, ${resident} GiB of the process`)
    since = performance.now()
  }
  for await (const { index, steps: count, latents } of pipe.stream(prompt)) {
    await compare(`latents.${index}`, await latents.data())
    if (index < count - 1 || !(file ? file.tensors.has('pixels') : run.decode)) continue
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
    referenceSeconds: JSON.parse(file?.metadata['seconds'] ?? '[]') as number[], // what full_size.py writes
    equal: gaps.every(({ relative = 0 }) => relative < bounds[dtype]),
  }
}

/** How far numbers are from those wanted. */
export function distance(got: ArrayLike<number>, want: Float32Array): Required<Pick<Gap, 'relative' | 'largest'>> {
  let [gap, size, largest] = [0, 0, 0]
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs((got[i] ?? Number.NaN) - want[i]!)
    gap += difference ** 2
    size += want[i]! ** 2
    largest = Math.max(largest, difference)
  }
  return { relative: got.length === want.length ? Math.sqrt(gap / size) : Number.NaN, largest }
}
