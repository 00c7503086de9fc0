import { OutOfMemoryError } from '@antipode/core'
import type { FittingTiling } from '@antipode/models'
import { type MemoryChoices, type MemoryPlan, needs, type Phase, type PhaseMemory } from './memory.ts'

/** Bytes that the parts of a run take, each worked out when it is asked for. */
export interface Costs {
  /** What the UNet's weights are kept in. */
  readonly dtype: string
  /** Of each model's weights, by its name in a checkpoint. */
  readonly models: ReadonlyMap<string, number>
  /** Of adapters, image prompts and learned words, which stay. */
  readonly adapters: number
  /** Of what a run holds from its prompts on. */
  readonly held: number
  /** Of an image once it is decoded. */
  readonly image: number
  /** Whether both branches of guidance can be one pass. */
  readonly canJoin: boolean
  prompts(): number
  /** 0 where no image is encoded. */
  start(): number
  step(branches: MemoryChoices['branches']): number
  /** Ways to decode an image, from the one that takes most. */
  decodings(): Iterable<FittingTiling>
}

/** In the order in which models leave: what is needed once comes before what is needed in every step. */
const departures = ['text_encoder', 'text_encoder_2', 'vae', 'unet']

/**
 * The first way that fits, from what costs least: what changes no picture comes before tiles, and a second pass before
 * weights that are read again.
 * @throws {OutOfMemoryError} that says the smallest budget which would do, and how
 */
export function planWithin(where: string, costs: Costs, budget: number): MemoryPlan {
  const names = departures.filter((name) => costs.models.has(name))
  const passes: readonly MemoryChoices['branches'][] = costs.canJoin ? ['together', 'apart'] : ['apart']
  let least: MemoryPlan | undefined
  for (const decoding of costs.decodings()) {
    for (let leaving = 0; leaving <= names.length; leaving++) {
      for (const branches of passes) {
        const plan = planOf(costs, { dtype: costs.dtype, branches, leaving: names.slice(0, leaving), tiling: decoding.tiling }, decoding.peakBytes)
        if (plan.peak <= budget) return plan
        if (plan.peak < (least?.peak ?? Infinity)) least = plan
      }
    }
  }
  throw new OutOfMemoryError(`${where}: ${refusal(budget, least)}`)
}

/** @param least what takes least of all ways, if the device can bind any */
function refusal(budget: number, least: MemoryPlan | undefined): string {
  const fewer = 'ask for smaller pictures, or for fewer at once'
  if (!least) return `expected pictures of which the device can bind the smallest tiles; ${fewer}`
  const { dtype, branches, leaving, tiling } = least.choices
  const advice = dtype.startsWith('q') ? fewer : `${fewer}, or load with dtype 'q8_0'`
  const how = [
    ...(branches === 'apart' ? ['one branch of guidance after the other'] : []),
    ...(leaving.length > 0 ? [`${leaving.join(', ')} on the GPU only while needed`] : []),
    ...(typeof tiling === 'object' ? [`tiles of ${tiling.size} pixels`] : []),
  ]
  return (
    `expected a budget of ${least.peak} bytes (${inMiB(least.peak)}) or more, got ${budget} (${inMiB(budget)}); that would do with ` +
    `${how.join(', ') || 'everything on the GPU'}; ${advice}`
  )
}

function planOf(costs: Costs, choices: MemoryChoices, decoding: number): MemoryPlan {
  const { models, adapters, held, image } = costs
  const at = (phase: Phase, beside: number): PhaseMemory => {
    const there = [...models].filter(([name]) => !choices.leaving.includes(name) || needs(phase, name))
    return { weights: there.reduce((sum, [, bytes]) => sum + bytes, adapters), beside }
  }
  const start = costs.start()
  const phases = {
    prompts: at('prompts', costs.prompts()),
    ...(start > 0 ? { start: at('start', start + held) } : {}),
    step: at('step', costs.step(choices.branches) + held),
    decode: at('decode', decoding + held + image),
  }
  return {
    weights: [...models.values()].reduce((a, b) => a + b, 0),
    ...phases,
    peak: Math.max(...Object.values(phases).map(({ weights, beside }) => weights + beside)),
    choices,
  }
}

const inMiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
