import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { adapterNames, removeAdapter } from '@antipode/core/nn'
import { lockPath } from '@antipode/core/io'
import { type DigitScore, type DigitsModelName, loadDigitClassifier, loadDigits } from '@antipode/digits'
import { saveAdapter, type UNet2DConditionModel } from '@antipode/models'
import { addRandomAdapter, measureOffsets } from '@antipode/npo'
import { type Arm, armsOf, evaluateArms } from '@antipode/npo/evaluation'
import { compilingProgress, type Progress } from '../progress/index.ts'
import { renderReport, type ReportData } from '../report/index.ts'
import { loadBase } from './base.ts'
import { drawPairs, noiseSeeds } from './draw-pairs.ts'
import { drawSeed, scoreDigits, type SeedImages } from './evaluate.ts'
import { judgesOf } from './judges.ts'
import { type Recipe, recipeOf } from './recipe.ts'
import { reportOf, type SeedResult } from './report-of.ts'
import { Stages } from './stages.ts'
import { trainMotion } from './train-motion.ts'
import { type OffsetName, trainOffset } from './train-offset.ts'

/** Options of `antipode demo`. */
export interface DemoOptions {
  readonly out: string
  /** A third of the time, wider intervals. */
  readonly fast: boolean
  /** As many seeds as the user has patience for. */
  readonly full?: number
  readonly model: DigitsModelName
  readonly seed: number
  /** A base checkpoint of the user's own. */
  readonly base?: string
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly command: string
  readonly version: string
}

/** Where the report is, and its gist. */
export interface DemoResult {
  readonly report: string
  readonly data: string
  readonly summary: Pick<ReportData['evaluation'], 'best' | 'ownBest' | 'falsifiers'>
}

/**
 * The main job: pairs from the base, labels by the reward, η by DPO and δ by its negation, every arm and control sampled
 * from the same noises, judged and reported. Finished stages are kept, so an interrupted run goes on where it was.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { out, signal } = options
  const progress = compilingProgress(options.progress)
  const recipe = recipeOf(options)
  await mkdir(out, { recursive: true })
  // What an interrupted run left is one run's to go on with, and to clear.
  await using lock = await lockPath('demo', join(out, 'work'))
  const started = performance.now()
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const digits = await loadDigits({ size: recipe.model === 'digits-16' ? 16 : 28 })
  const { splits, size: side } = digits
  const classifier = await loadDigitClassifier()
  const judges = judgesOf(splits, classifier)
  const base = await loadBase(device, recipe.model, options.base)
  using unet = base.unet
  const stages = new Stages(join(out, 'work'), JSON.stringify({ recipe, base: base.card.sha256, adapter: device.adapter.description }), options.resume)
  if (!options.resume) await stages.clear()
  await mkdir(stages.directory, { recursive: true })
  const timings: { phase: string; seconds: number }[] = []
  const timed = async <T>(title: string, total: number, work: (advance: (n?: number, note?: string) => void) => Promise<T>): Promise<T> => {
    const from = performance.now()
    const phase = progress.phase(title, total)
    const result = await work((n, note) => { phase.advance(n, note) })
    phase.done()
    timings.push({ phase: title, seconds: (performance.now() - from) / 1000 })
    return result
  }
  const context: SeedContext = { out, device, unet, recipe, stages, side, reward: judges.reward, resume: options.resume, signal, timed }
  const results: (SeedResult & { readonly selection: SeedImages; readonly arms: readonly Arm[] })[] = []
  for (const seed of recipe.seeds) results.push(await runSeed(context, seed))
  const arms = results[0]?.arms ?? []
  const evaluation = await timed('judging', 1, () => {
    const { perSeed, selectionPerSeed, resamples } = recipe.evaluation
    const table = scoreDigits(recipe, arms, results.map((r) => r.images), perSeed, side, judges)
    const selection = scoreDigits(recipe, arms, results.map((r) => r.selection), selectionPerSeed, side, judges)
    return Promise.resolve(evaluateArms(table, selection, { seed: options.seed, samples: resamples }))
  })
  const moving = await timed('training temporal blocks on moving digits', recipe.movingSteps, (advance) =>
    trainMotion(device, unet, digits, { steps: recipe.movingSteps, seed: options.seed, signal, onStep: (s) => { advance(1, `loss ${s.loss.toFixed(3)}`) } }))
  // The report adds its phases up, so the last is what the others leave of the whole.
  const all = (performance.now() - started) / 1000
  timings.push({ phase: 'loading and all between', seconds: all - timings.reduce((sum, t) => sum + t.seconds, 0) })
  const held = splits.labeller
  const data = reportOf({
    device, recipe, base: base.card, baseSource: base.source, arms, results, evaluation, moving, side, timings,
    classifierAccuracy: classifier.accuracy(held.images, held.labels, side),
    command: options.command, version: options.version,
  })
  const paths = { report: join(out, 'report.html'), data: join(out, 'report.json') }
  await writeFile(paths.data, `${JSON.stringify(data, null, 1)}\n`)
  await writeFile(paths.report, renderReport(data))
  await lock.check()
  await stages.clear()
  return { ...paths, summary: { best: evaluation.best, ownBest: evaluation.ownBest, falsifiers: evaluation.falsifiers } }
}

interface SeedContext {
  readonly out: string
  readonly device: Device
  readonly unet: UNet2DConditionModel
  readonly recipe: Recipe
  readonly stages: Stages
  readonly side: number
  readonly reward: DigitScore
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly timed: <T>(title: string, total: number, work: (advance: (n?: number, note?: string) => void) => Promise<T>) => Promise<T>
}

async function runSeed(context: SeedContext, seed: number): Promise<SeedResult & { selection: SeedImages; arms: readonly Arm[] }> {
  const { device, unet, recipe, stages, side, signal, timed } = context
  const pairs = await timed(`seed ${seed}: sampling pairs`, 2 * recipe.pairs.count, (advance) =>
    drawPairs(device, unet, { ...context, ...recipe, seed, name: `seed${seed}-pairs`, onImages: advance }))
  const curves = {} as Record<OffsetName, Awaited<ReturnType<typeof trainOffset>>>
  for (const name of ['eta', 'delta'] as const) {
    curves[name] = await timed(`seed ${seed}: training ${name === 'eta' ? 'η (DPO)' : 'δ (DPO negated)'}`, recipe.training.steps, (advance) =>
      trainOffset(device, unet, name, pairs, {
        seed, recipe, path: stages.runPath(`seed${seed}-${name}`), resume: context.resume, signal,
        onStep: (s) => { advance(1, `loss ${s.loss.toFixed(3)}, accuracy ${(s.metrics['accuracy'] ?? 0).toFixed(2)}`) },
      }))
  }
  // For use elsewhere; finished offsets are small, and took most of the time.
  await mkdir(join(context.out, 'adapters'), { recursive: true })
  for (const name of ['eta', 'delta']) {
    await saveAdapter(join(context.out, 'adapters', `seed${seed}.${name}.safetensors`), unet, {
      name, metadata: { adapter: name, seed: `${seed}` }, dtype: 'f16', signal,
    })
  }
  const geometry = await measureOffsets(unet, { eta: 'eta', delta: 'delta' })
  await addRandomAdapter(unet, 'random', { like: 'delta', seed: noiseSeeds.random + seed })
  const arms = armsOf({ ...recipe.merge, reversal: geometry.deltaNorm / geometry.etaNorm })
  const { perSeed, selectionPerSeed, scales } = recipe.evaluation
  const draw = (name: 'selection' | 'evaluation', count: number): Promise<SeedImages> =>
    timed(`seed ${seed}: sampling ${arms.length} arms (${name})`, arms.length * scales.length * count, (advance) => drawSeed(device, unet, {
      name: `seed${seed}-${name}`, recipe, arms, count, seed: noiseSeeds[name] + seed, side, stages, signal, onImages: (n) => { advance(n) },
    }))
  const selection = await draw('selection', selectionPerSeed)
  const images = await draw('evaluation', perSeed)
  for (const name of adapterNames(unet)) removeAdapter(unet, name)
  return { seed, curves, geometry, images, selection, arms, meanGap: pairs.meanGap }
}
