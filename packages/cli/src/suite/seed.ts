import { tensor } from '@antipode/core'
import { adapterNames, adapterParameters, removeAdapter, setAdapter } from '@antipode/core/nn'
import { tensorLabellingReward } from '@antipode/digits'
import { measureOffsets } from '@antipode/npo'
import { drawPairs, type StageArrays } from '../demo/index.ts'
import type { SuiteContext } from './context.ts'
import { reversedName, type SuiteArm } from './arms.ts'
import { scoreArm } from './evaluate.ts'
import { beginTraining, methods, type SeedMaterial } from './methods/index.ts'
import { etaOf, type Training } from './trainings.ts'

/** A training, and after how many of its steps its weights are kept; the last of them ends it. */
export interface Planned {
  readonly training: Training
  readonly kept: readonly number[]
}

/** Where an offset lies beside its η. */
export interface Geometry {
  readonly cosine: number
  /** |δ| / |η| */
  readonly length: number
}

/** The pairs of a seed, and all else that its trainings read. */
export async function seedMaterial(context: SuiteContext, seed: number): Promise<SeedMaterial> {
  const { device, unet, recipe, side, judges, labeller, stages, signal, timed } = context
  const { count, more } = recipe.pairs
  const draw = (total: number): ReturnType<typeof drawPairs> =>
    timed(`seed ${seed}: sampling ${total} pairs`, 2 * total, (advance) => drawPairs(device, unet, {
      ...recipe, pairs: { ...recipe.pairs, count: total }, name: `seed${seed}-pairs-${total}`, seed, side,
      reward: judges.reward, stages, signal, onImages: advance,
    }))
  return {
    device, unet, recipe, seed, side, signal, pairs: await draw(count), morePairs: await draw(more),
    reward: await tensorLabellingReward(device, labeller),
  }
}

/**
 * Trains, or reads what an earlier run trained, and puts the weights on the model under the training's id, after so many
 * steps if there are several. Gives the names of the adapters.
 */
export async function trainSeed(context: SuiteContext, material: SeedMaterial, planned: readonly Planned[]): Promise<void> {
  const { device, unet, stages, timed } = context
  const total = planned.reduce((sum, { kept }) => sum + kept.at(-1)!, 0)
  await timed(`seed ${material.seed}: ${planned.length} trainings`, total, async (advance) => {
    for (const { training, kept } of planned) {
      let made = 0
      const stored = await stages.of(`seed${material.seed}-${training.id}-${kept.join('-')}`, () =>
        trainOne(material, training, kept, (loss) => { made++; advance(1, `${training.id}, loss ${loss.toFixed(3)}`) }))
      advance(kept.at(-1)! - made)
      for (const length of kept) {
        const own = Object.entries(stored).filter(([key]) => key.startsWith(`${length}:`))
        setAdapter(unet, adapterName(training.id, kept, length), new Map(own.map(([key, { data, shape }]) =>
          [key.slice(`${length}:`.length), tensor(device, data, shape)] as const)))
      }
    }
  })
}

/** Under which name the weights after some steps are put on the model. */
export function adapterName(id: string, kept: readonly number[], length: number): string {
  return kept.length > 1 ? `${id}@${length}` : id
}

async function trainOne(
  material: SeedMaterial, training: Training, kept: readonly number[], onStep: (loss: number) => void,
): Promise<StageArrays> {
  const { unet } = material
  const snapshots: [string, StageArrays[string]][] = []
  const curve: number[] = []
  using context = beginTraining(material, training, kept.at(-1)!)
  try {
    for await (const { step, loss } of methods[training.method](context)) {
      curve.push(loss)
      onStep(loss)
      if (!kept.includes(step + 1)) continue
      for (const [key, t] of adapterParameters(unet, training.id)) {
        snapshots.push([`${step + 1}:${key}`, { shape: t.shape, data: await t.data() as Float32Array }])
      }
    }
  } finally {
    removeAdapter(unet, training.id)
  }
  return { ...Object.fromEntries(snapshots), loss: { shape: [curve.length], data: Float32Array.from(curve) } }
}

/** Adds −η, as long as the δ that the same preference reversed gives, for each η of some negatives; measures all. */
export async function placeSeed(context: SuiteContext, seed: number, negatives: readonly Training[]): Promise<Record<string, Geometry>> {
  const { device, unet, stages } = context
  const stored = await stages.of(`seed${seed}-geometry`, async () => Object.fromEntries(await Promise.all(negatives.map(async (one) => {
    const { cosine, etaNorm, deltaNorm } = await measureOffsets(unet, { eta: etaOf(one), delta: one.id })
    return [one.id, { shape: [2], data: Float32Array.of(cosine, deltaNorm / etaNorm) }] as const
  }))))
  const geometry = Object.fromEntries(Object.entries(stored).map(([id, { data }]) => [id, { cosine: data[0]!, length: data[1]! }]))
  for (const { id, form, method, weights, variant } of negatives) {
    if (form !== 'swap' || method === 'self' || variant) continue
    const eta = `${method}-eta-${weights}`
    const factor = -geometry[id]!.length
    const reversed = new Map<string, Awaited<ReturnType<typeof tensor>>>()
    for (const [key, t] of adapterParameters(unet, eta)) {
      // A change of a weight is linear in the second factor of LoRA, and in a whole difference.
      const values = await t.data() as Float32Array
      reversed.set(key, tensor(device, key.includes('lora_A') ? values : values.map((v) => v * factor), t.shape))
    }
    setAdapter(unet, reversedName(eta), reversed)
  }
  return geometry
}

/** Scores of some arms on a seed's noises, by arm. */
export async function scoreSeed(context: SuiteContext, seed: number, arms: readonly SuiteArm[]): Promise<Map<string, StageArrays>> {
  const { device, unet, recipe, side, judges, scores: kept, signal, timed } = context
  return await timed(`seed ${seed}: sampling ${arms.length} arms`, arms.length, async (advance) => {
    const scores = new Map<string, StageArrays>()
    for (const { id, positive, negative } of arms) {
      scores.set(id, await kept.of(`seed${seed}-arm-${id.replace(/\W+/g, '_')}`, () =>
        scoreArm(device, unet, { positive, negative, recipe, seed, side, judges, signal })))
      advance(1, id)
    }
    return scores
  })
}

/** Takes every adapter off the model. */
export function clearSeed({ unet }: SuiteContext): void {
  for (const name of adapterNames(unet)) removeAdapter(unet, name)
}
