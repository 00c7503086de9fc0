import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Device, evaluate, gradients } from '@antipode/core'
import { readSafetensors, type SafetensorsFile } from '@antipode/core/io'
import { type LoadedReward, loadReward, type RewardName, type RewardPrompts } from '@antipode/rewards'
import { distance } from './run.ts'
import { read } from './train.ts'

/** Which reward scores, and where its files are or are made. */
export interface FullSizeReward {
  readonly reward: RewardName
  readonly folder: string
  readonly dtype: 'f16' | 'f32'
  /** The interpreter that makes files, if there are none. */
  readonly python: string
  readonly log: (line: string) => void
}

export interface FullSizeRewardResult {
  readonly loadSeconds: number
  /** What loading took of this process at most, without the weights where the GPU's memory is the host's. */
  readonly loadBytes: number
  readonly score: number
  readonly wantedScore: number
  /** Root of the mean squared difference of the gradient by the pixels from torch's, over its root mean square. */
  readonly gradientGap: number
  /** Score and gradient, kernels compiled, and torch's on the CPU. */
  readonly seconds: number
  readonly torchSeconds: number
  /** Bytes of the GPU: of the weights, and at most. */
  readonly loadedBytes: number
  readonly peakBytes: number
  readonly residentBytes: number
  readonly equal: boolean
}

/** Of the score, as a share of 1 or of what it is if that is more, and of the gradient. */
const bounds = { f16: { score: 2e-2, gradient: 1e-1 }, f32: { score: 1e-4, gradient: 1e-3 } } as const

/** Scores a picture by a reward of the true size, whose files are made where there are none, and holds it to torch. */
export async function compareReward(run: FullSizeReward): Promise<FullSizeRewardResult> {
  const { reward, folder, dtype, python, log } = run
  const golden = join(folder, 'golden.safetensors')
  if (!existsSync(golden)) {
    log(`making ${reward} in ${folder}`)
    const generator = join(import.meta.dirname, '../../../tools/golden/full_size_reward.py')
    execFileSync(python, [generator, reward, folder], { stdio: ['ignore', 'inherit', 'inherit'] })
  }
  await using file = await readSafetensors(golden)
  await using device = await Device.request()
  const before = process.memoryUsage.rss()
  let begin = performance.now()
  using loaded = await loadReward(device, reward, { files: folder, dtype })
  await device.sync()
  const loadSeconds = (performance.now() - begin) / 1000
  const loadedBytes = device.memory().live
  const loadBytes = maxResident() - before - (device.adapter.software ? loadedBytes : 0)
  log(`loaded in ${loadSeconds.toFixed(1)} s: ${gib(loadedBytes)} of weights, ${gib(loadBytes)} beside them`)
  const condition = await promptsOf(loaded, file)
  using image = await read(device, file, 'image')
  begin = performance.now()
  const scores = loaded.reward(image, condition)
  const [slopes] = gradients(scores.sum(), [image])
  await evaluate(scores, slopes!)
  const score = await scores.item()
  const seconds = (performance.now() - begin) / 1000
  const [wantedScore = Number.NaN] = await file.readFloat32('score')
  const { relative } = distance(await slopes!.data(), await file.readFloat32('gradient'))
  log(`score ${score}, torch's ${wantedScore}; gradient ${relative.toExponential(2)} of its size from torch's`)
  const bound = bounds[dtype]
  const gap = Math.abs(score - wantedScore) / Math.max(1, Math.abs(wantedScore))
  return {
    loadSeconds, loadBytes, score, wantedScore, gradientGap: relative, seconds,
    torchSeconds: Number(file.metadata['seconds']), loadedBytes, peakBytes: device.memory().peak,
    residentBytes: maxResident(),
    equal: gap < bound.score && relative < bound.gradient,
  }
}

/** The prompt as the reward reads it. @throws {TypeError} unless that is how transformers' tokenizer reads it */
async function promptsOf({ prompts, name }: LoadedReward, file: SafetensorsFile): Promise<RewardPrompts> {
  const condition = prompts([file.metadata['prompt'] ?? ''])
  if (!file.tensors.has('ids')) return condition
  const bytes = await file.read('ids')
  const want = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).join()
  const got = (await condition[name]!.data()).join()
  if (got !== want) throw new TypeError(`${name}: expected the ids ${want}, got ${got}; compare the tokenizers`)
  return condition
}

const maxResident = (): number => process.resourceUsage().maxRSS * 1024
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`
