import { average, bestScales, cellScores } from '@antipode/npo/evaluation'
import type { SuiteArm } from './arms.ts'
import type { SuiteContext } from './context.ts'
import { adapterName, clearSeed, scoreSeed, seedMaterial, trainSeed } from './seed.ts'
import { tableOf } from './table.ts'
import { lengthName, type Lengths, trainingsOf } from './trainings.ts'

/** How good a length of training was on the seeds that choose. */
export interface Candidate {
  readonly name: string
  readonly length: number
  /** Guidance scale that is best on noises of its own, and the judge's mean there on others. */
  readonly scale: number
  readonly judge: number
}

/** What was chosen, and from what. */
export interface Choice {
  readonly lengths: Lengths
  readonly candidates: readonly Candidate[]
}

/**
 * Chooses how long each method trains in each form: with LoRA, by the judge, each candidate at its own best scale; η on both
 * branches, negatives on the base. Seeds that choose are not reported on.
 */
export async function chooseLengths(context: SuiteContext): Promise<Choice> {
  const { recipe } = context
  const trainings = trainingsOf('lora')
  const options = trainings.flatMap((training) => recipe.lengths.map((length) => ({ training, length, id: adapterName(training.id, recipe.lengths, length) })))
  const arms = options.map(({ training, id }): SuiteArm => ({
    id, positive: training.form === 'eta' ? { [id]: 1 } : {}, negative: { [id]: 1 },
  }))
  const scored: Awaited<ReturnType<typeof scoreSeed>>[] = []
  for (const seed of recipe.choiceSeeds) {
    const material = await seedMaterial(context, seed)
    using _ = material.reward
    await trainSeed(context, material, trainings.map((training) => ({ training, kept: recipe.lengths })))
    scored.push(await scoreSeed(context, seed, arms))
    clearSeed(context)
  }
  const [table, selection] = (['evaluation', 'selection'] as const).map((noises) => tableOf(recipe, recipe.choiceSeeds, scored, noises))
  const best = bestScales(selection!)
  const candidates = options.map(({ training, length, id }): Candidate => {
    const { scale } = best[id]!
    return { name: lengthName(training), length, scale, judge: average(cellScores(table!, { arm: id, scale }, 'judge').values) }
  })
  const lengths: Record<string, number> = {}
  for (const { name } of candidates) {
    const own = candidates.filter((one) => one.name === name)
    lengths[name] = own.reduce((a, b) => (b.judge > a.judge ? b : a)).length
  }
  return { lengths, candidates }
}
