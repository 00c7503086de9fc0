import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { lockPath } from '@antipode/core/io'
import { loadDigitClassifier, loadDigits } from '@antipode/digits'
import { judgesOf, loadBase, Stages } from '../demo/index.ts'
import { compilingProgress, type Progress } from '../progress/index.ts'
import { armsOf, questionsOf } from './arms.ts'
import { chooseLengths } from './choose.ts'
import type { SuiteContext } from './context.ts'
import { suitePage } from './page.ts'
import { type SuiteRecipe, suiteRecipe } from './recipe.ts'
import { resultsOf, type SuiteResults } from './results.ts'
import { clearSeed, placeSeed, scoreSeed, seedMaterial, trainSeed } from './seed.ts'
import { tableOf } from './table.ts'
import { stepsOf, trainingsOf, variants } from './trainings.ts'

/** Options of `antipode demo --suite`. */
export interface SuiteOptions {
  readonly out: string
  readonly seed: number
  /** Training seeds that are reported on. */
  readonly seeds: number
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly version: string
  /** Another recipe than that of the map, for tests. */
  readonly recipe?: SuiteRecipe
}

/** Where the results are, and what they are. */
export interface SuiteResult {
  readonly report: string
  readonly data: string
  readonly results: SuiteResults
}

/**
 * The map: every method with its negatives in all forms, on the base and beside η, against guidance away from η. Everything
 * that is done is kept, so that an interrupted run goes on where it was.
 */
export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const { out, signal } = options
  const progress = compilingProgress(options.progress)
  const recipe = options.recipe ?? suiteRecipe(options)
  await mkdir(out, { recursive: true })
  await using lock = await lockPath('demo --suite', join(out, 'work'))
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const { splits, size: side } = await loadDigits({ size: 16 })
  const { unet, card } = await loadBase(device, recipe.model, undefined)
  using _ = unet
  const { evaluation: { scales, perSeed, selectionPerSeed }, ...rest } = recipe
  // More seeds go on from those that are done.
  const task = { ...rest, seeds: [], base: card.sha256, adapter: device.adapter.description }
  const stages = new Stages(join(out, 'work'), JSON.stringify(task), options.resume)
  const scores = new Stages(join(out, 'work'), JSON.stringify({ ...task, evaluation: { scales, perSeed, selectionPerSeed } }), options.resume)
  if (!options.resume) await stages.clear()
  const context: SuiteContext = {
    device, unet, recipe, side, stages, scores, signal, labeller: splits.labeller,
    judges: judgesOf(splits, await loadDigitClassifier()),
    async timed(title, total, work) {
      const phase = progress.phase(title, total)
      const result = await work((n, note) => { phase.advance(n, note) })
      phase.done()
      return result
    },
  }
  const choice = await chooseLengths(context)
  const all = [...trainingsOf('lora'), ...trainingsOf('full'), ...variants]
  const negatives = all.filter(({ form }) => form !== 'eta')
  const questions = questionsOf(negatives)
  const arms = armsOf(questions)
  const [scored, geometry] = [[], []] as [Awaited<ReturnType<typeof scoreSeed>>[], Awaited<ReturnType<typeof placeSeed>>[]]
  for (const seed of recipe.seeds) {
    const material = await seedMaterial(context, seed)
    using _ = material.reward
    await trainSeed(context, material, all.map((training) => ({ training, kept: [stepsOf(training, choice.lengths, recipe)] })))
    geometry.push(await placeSeed(context, seed, negatives))
    scored.push(await scoreSeed(context, seed, arms))
    clearSeed(context)
  }
  const [table, selection] = [tableOf(recipe, recipe.seeds, scored, 'evaluation'), tableOf(recipe, recipe.seeds, scored, 'selection')]
  const results: SuiteResults = {
    version: options.version, adapter: device.adapter.description, base: card.sha256, recipe, choice,
    ...resultsOf({ recipe, lengths: choice.lengths, questions, table, selection, geometry }),
  }
  const paths = { report: join(out, 'map.html'), data: join(out, 'map.json') }
  await writeFile(paths.data, `${JSON.stringify(results, null, 1)}\n`)
  await writeFile(paths.report, suitePage(results))
  await lock.check()
  return { ...paths, results }
}
