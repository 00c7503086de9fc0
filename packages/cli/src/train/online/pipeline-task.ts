import { type Device, evaluate, type Tensor } from '@antipode/core'
import type { UNet2DConditionModel } from '@antipode/models'
import { type Denoiser, joinConditions } from '@antipode/npo'
import { loadPipeline } from '@antipode/pipelines'
import { attentionTargets, samplingParts } from '@antipode/pipelines/training'
import { loadReward, type LoadedReward, type RewardPrompts } from '@antipode/rewards'
import type { Schedule } from '@antipode/schedulers'
import type { OnlineSettings } from '../../train-settings/index.ts'
import { UsageError } from '../../usage-error.ts'
import { modelFilesDigest, resolutionOf } from '../model-files.ts'
import type { OnlineTask } from './task.ts'

/** Tensors by name: what a UNet is told of prompts, and what a reward reads of them. */
type Told = Readonly<Record<string, Tensor>>

/** Latents of a checkpoint of Stable Diffusion, whose pictures a published reward judges. */
export async function pipelineTask(device: Device, settings: OnlineSettings, signal: AbortSignal): Promise<OnlineTask<Told>> {
  const { model, dtype, reward: choice, prompts } = settings
  const owned: Disposable[] = []
  const release = (): void => { for (const one of owned.reverse()) one[Symbol.dispose]() }
  try {
    const pipe = await loadPipeline(device, model, { dtype, signal })
    owned.push(pipe)
    const { unet, scheduler } = pipe.components
    const parts = samplingParts(pipe.components, settings.resolution ?? resolutionOf(pipe.components))
    let judge: LoadedReward | undefined
    if (choice) {
      const { reward: name, ...files } = choice
      judge = await loadReward(device, name, { ...files, signal })
      owned.push(judge)
    }
    const resident = async (made: Told): Promise<Told> => {
      await evaluate(...Object.values(made))
      owned.push(...Object.values(made))
      return made
    }
    const empty = await resident({ ...parts.prompts(['']) })
    const rows: Told[] = []
    for (const prompt of prompts) rows.push(await resident({ ...parts.prompts([prompt]), ...judge?.prompts([prompt]) }))
    const read = new Set(Object.keys(judge?.prompts(['']) ?? {}))
    return {
      unet, targets: attentionTargets, schedule: scheduleOf(scheduler.schedule), prompts,
      digest: await modelFilesDigest(model),
      denoiser: (weights) => denoiserOf(unet.with(weights), read),
      shape: (count) => parts.shape(count),
      condition: (numbers) => joinConditions(...numbers.map((i) => rows[i % rows.length] as Told)),
      unconditional(condition) {
        const count = Object.values(condition)[0]?.shape[0] ?? 1
        const kept = Object.entries(condition).filter(([name]) => read.has(name))
        return { ...joinConditions(...Array<Told>(count).fill(empty)), ...Object.fromEntries(kept) }
      },
      reward: judge && ((latents, condition) => judge.reward(parts.pictures(latents), condition as RewardPrompts)),
      pictures: (latents) => parts.pictures(latents),
      [Symbol.dispose]: release,
    }
  } catch (error) {
    release()
    throw error
  }
}

/** The UNet, which is not told what a reward reads. */
function denoiserOf(unet: UNet2DConditionModel, read: ReadonlySet<string>): Denoiser<Told> {
  return (x, timesteps, condition) =>
    unet.forward(x, timesteps, Object.fromEntries(Object.entries(condition).filter(([name]) => !read.has(name))), { checkpoint: true })
}

function scheduleOf(schedule: Schedule | null): Schedule {
  if (schedule && ['epsilon', 'v_prediction', 'sample'].includes(schedule.predictionType)) return schedule
  throw new UsageError('train: expected a model of a table of noise levels, got one of another process; pass Stable Diffusion 1.x, 2.x or XL')
}
