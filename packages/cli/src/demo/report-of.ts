import { cpus, platform, arch } from 'node:os'
import type { Device } from '@antipode/core'
import { digitsInTurn, JUDGE_DEFINITION, LABELLER_DEFINITION } from '@antipode/digits'
import type { OffsetGeometry, TrainStep } from '@antipode/npo'
import { type Arm, armLabel, type Evaluation, pixelDeviation, saturatedShare } from '@antipode/npo/evaluation'
import { imageGrid, REPORT_SCHEMA_VERSION, type ReportData, type TrainingReport } from '../report/index.ts'
import type { BaseCard } from '../train/index.ts'
import type { SeedImages } from './evaluate.ts'
import type { MotionResult } from './train-motion.ts'
import type { Recipe } from './recipe.ts'

/** What came of one training seed. */
export interface SeedResult {
  readonly seed: number
  readonly curves: Readonly<Record<'eta' | 'delta', readonly TrainStep[]>>
  readonly geometry: OffsetGeometry
  readonly images: SeedImages
  readonly meanGap: number
}

/** All that a report is made of. */
export interface ReportInput {
  readonly device: Device
  readonly recipe: Recipe
  readonly base: BaseCard
  readonly baseSource: string
  readonly arms: readonly Arm[]
  readonly results: readonly SeedResult[]
  readonly evaluation: Evaluation
  readonly moving: MotionResult
  readonly classifierAccuracy: number
  readonly side: number
  readonly command: string
  readonly version: string
  readonly timings: ReportData['timings']
}

/** The data of `report.json`. */
export function reportOf(input: ReportInput): ReportData {
  const { device, recipe, base, baseSource, arms, results, evaluation, timings } = input
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    createdAt: new Date().toISOString(),
    command: input.command,
    version: input.version,
    adapter: {
      description: device.adapter.description, vendor: device.adapter.vendor, backend: 'WebGPU (Dawn)', software: device.adapter.software,
      host: `Node ${process.versions.node} on ${platform()}/${arch()}, ${cpus().length} cores`,
    },
    recipe: [
      { title: 'Base model', settings: { model: recipe.model, ...base.recipe } },
      { title: 'Pairs', settings: { ...recipe.pairs, meanRewardGap: Number((results.reduce((s, r) => s + r.meanGap, 0) / results.length).toFixed(4)) } },
      { title: 'Preference training (η, and δ negated)', settings: { ...recipe.training, adapters: 'LoRA' } },
      { title: 'Sampling', settings: { solver: 'DPM-Solver++ 2M', steps: recipe.sampling.steps } },
      { title: 'Evaluation', settings: { seeds: recipe.seeds.join(', '), noisesPerSeed: recipe.evaluation.perSeed, selectionNoisesPerSeed: recipe.evaluation.selectionPerSeed, alpha: recipe.merge.alpha, beta: recipe.merge.beta } },
    ],
    base: { sha256: base.sha256, source: baseSource },
    judge: { definition: JUDGE_DEFINITION, labeller: LABELLER_DEFINITION, classifierAccuracy: input.classifierAccuracy },
    arms: arms.map(({ id, words: [positive, negative], role }) => ({ id, positive, negative, role })),
    evaluation,
    appearance: appearance(input),
    offsets: results.map(({ seed, geometry }) => ({ seed, ...geometry })),
    training: [baseCurve(base), ...results.flatMap(preferenceCurves), movingCurve(input.moving)],
    grids: grids(input),
    timings,
    memory: { peakDeviceBytes: device.memory().peak, peakProcessBytes: process.resourceUsage().maxRSS * 1024 },
  }
}

function at(input: ReportInput, result: SeedResult, arm: string, scale: number): Float32Array {
  return result.images.get(arm)?.[input.recipe.evaluation.scales.indexOf(scale)] ?? new Float32Array()
}

function appearance(input: ReportInput): ReportData['appearance'] {
  const labels = digitsInTurn(input.recipe.evaluation.perSeed)
  return input.arms.map(({ id }) => {
    const scale = input.evaluation.best[id]?.scale ?? 1
    const over = (f: (images: Float32Array) => number): number =>
      input.results.reduce((s, r) => s + f(at(input, r, id, scale)), 0) / input.results.length
    return { arm: id, scale, saturatedShare: over(saturatedShare), pixelDeviation: over((x) => pixelDeviation(x, labels)) }
  })
}

const series = (name: string, steps: readonly TrainStep[], value: (s: TrainStep) => number): TrainingReport['charts'][number]['series'][number] =>
  ({ name, steps: steps.map((s) => s.step), values: steps.map(value) })

function preferenceCurves({ seed, curves: { eta, delta } }: SeedResult): TrainingReport[] {
  const both = (value: (s: TrainStep) => number): TrainingReport['charts'][number]['series'] => [series('η', eta, value), series('δ', delta, value)]
  return [{
    title: `Preference training, seed ${seed}`,
    charts: [
      { title: 'loss (ln 2 at the start)', series: both((s) => s.loss) },
      { title: 'implicit accuracy', series: both((s) => s.metrics['accuracy'] ?? 0) },
      { title: 'denoising error', series: [...both((s) => s.metrics['error'] ?? 0), series('reference', eta, (s) => s.metrics['referenceError'] ?? 0)] },
    ],
  }]
}

function baseCurve(base: BaseCard): TrainingReport {
  return { title: 'Base model', charts: [{ title: 'denoising loss, mean of each 100 steps', series: [{ name: 'loss', steps: base.loss.map((_, i) => (i + 1) * 100), values: base.loss }] }] }
}

function movingCurve({ curve, before, after }: MotionResult): TrainingReport {
  return {
    title: `Temporal blocks on moving digits, image model frozen (held-out loss ${before.toFixed(4)} before, ${after.toFixed(4)} after)`,
    charts: [{ title: 'denoising loss', series: [series('loss', curve, (s) => s.loss)] }],
  }
}

/** Ten digits from the first ten noises of the first seed, at one common scale and at each arm's own best. */
function grids(input: ReportInput): ReportData['grids'] {
  const { arms, evaluation, recipe, side } = input
  const [first] = input.results
  if (!first) return []
  const common = evaluation.best[arms[0]?.id ?? '']?.scale ?? recipe.evaluation.scales[0] ?? 1
  const rows = Array.from({ length: 10 }, (_, digit) => `${digit}`)
  const grid = (title: string, caption: string, scaleOf: (id: string) => number): ReportData['grids'][number] => {
    const pixels = side * side
    const cells = new Float32Array(rows.length * arms.length * pixels)
    arms.forEach(({ id }, column) => {
      const images = at(input, first, id, scaleOf(id))
      rows.forEach((_, row) => { cells.set(images.subarray(row * pixels, (row + 1) * pixels), (row * arms.length + column) * pixels) })
    })
    return {
      title, caption, rows,
      columns: arms.map(({ id }) => ({ title: armLabel(id), subtitle: `w = ${scaleOf(id)}` })),
      image: imageGrid(cells, { rows: rows.length, columns: arms.length, size: side }),
    }
  }
  return [
    grid('Every arm at one scale', `One noise a row, the first ten of seed ${first.seed}, none left out; all at the base's best scale.`, () => common),
    grid('Every arm at its own best scale', 'The same noises; each arm at the scale that was best for it on other noises.', (id) => evaluation.best[id]?.scale ?? common),
    ...recipe.evaluation.scales.filter((s) => s === Math.max(...recipe.evaluation.scales)).map((s) =>
      grid('Every arm far past its optimum', `The same noises at w = ${s}: what over-guidance looks like, and what the judge must not reward.`, () => s)),
  ]
}
