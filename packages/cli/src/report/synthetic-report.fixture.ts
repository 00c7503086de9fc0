import { rng } from '@antipode/core/random'
import { armLabel, ARMS, evaluateArms, type EvaluationTable } from '@antipode/npo/evaluation'
import { imageGrid } from './image-grid.ts'
import { REPORT_SCHEMA_VERSION, type ReportData } from './report-data.ts'

/** A made-up world: where an arm's judge score peaks, and how high. */
export type World = Readonly<Record<string, { readonly height: number; readonly optimum: number }>>

/** Roughly what a pilot found: NPO beats the base, −η most of the way, random does nothing, merging helps a little. */
export const PILOT_WORLD: World = {
  [ARMS.base]: { height: -0.41, optimum: 2.6 },
  [ARMS.npo]: { height: -0.383, optimum: 2 },
  [ARMS.dpo]: { height: -0.386, optimum: 1.7 },
  [ARMS.merged]: { height: -0.38, optimum: 1.55 },
  [ARMS.extrapolation]: { height: -0.387, optimum: 2.05 },
  [ARMS.random]: { height: -0.411, optimum: 2.5 },
}

const SCALES = [1, 1.25, 1.5, 2, 2.5, 3, 4, 6]
const SEEDS = [0, 1, 2, 3]

function madeUp(world: World, seed: number, items: number): EvaluationTable {
  const random = rng(seed)
  const offset = SEEDS.map(() => 0.003 * random.normal())
  const shared = SEEDS.map(() => Float64Array.from({ length: items }, () => 0.06 * random.normal()))
  const level = (height: number, optimum: number, scale: number): number =>
    height - (scale < optimum ? 0.075 : 0.03) * Math.log2(scale / optimum) ** 2
  const fill = (score: (s: number, scale: number, item: number) => number): Float64Array[][] =>
    SEEDS.map((_, s) => SCALES.map((scale) => Float64Array.from({ length: items }, (_, i) => score(s, scale, i))))
  const arms = Object.entries(world).map(([id, { height, optimum }]) => {
    const own = SEEDS.map(() => 0.002 * random.normal())
    const score = (s: number, scale: number, i: number): number =>
      level(height, optimum, scale) + offset[s]! + own[s]! + shared[s]![i]! + 0.03 * random.normal()
    return {
      id,
      scores: {
        judge: fill(score),
        reward: fill((s, scale, i) => 0.8 * score(s, scale, i)),
        correct: fill((_s, scale) => (random.uniform() < 0.985 - 0.1 / scale ** 2 ? 1 : 0)),
      },
    }
  })
  return { seeds: SEEDS, scales: SCALES, arms }
}

/** A whole report from made-up scores. */
export function syntheticReport({
  world = PILOT_WORLD,
  items = 200,
  samples = 200,
  images = bars(),
}: { world?: World; items?: number; samples?: number; images?: Float32Array } = {}): ReportData {
  const evaluation = evaluateArms(madeUp(world, 1, items), madeUp(world, 2, items), { seed: 3, samples })
  const ids = Object.keys(world)
  const random = rng(9)
  const decay = (
    name: string,
    from: number,
    to: number,
  ): ReportData['training'][number]['charts'][number]['series'][number] => {
    const steps = Array.from({ length: 60 }, (_, i) => i * 10)
    return {
      name,
      steps,
      values: steps.map((step) => to + (from - to) * Math.exp(-step / 150) + 0.01 * random.normal()),
    }
  }
  const preference = (name: string): ReportData['training'][number] => ({
    title: name,
    charts: [
      { title: 'loss (ln 2 at the start)', series: [decay('loss', Math.LN2, 0.52)] },
      { title: 'implicit accuracy', series: [decay('accuracy', 0.5, 0.74)] },
      { title: 'denoising error', series: [decay('model', 0.09, 0.1), decay('reference', 0.09, 0.09)] },
    ],
  })
  const grid = (title: string, subtitle: (id: string) => string): ReportData['grids'][number] => ({
    title,
    caption: 'Ten digits, one noise each; columns differ only in the weights that guide.',
    columns: ids.map((id) => ({ title: armLabel(id), subtitle: subtitle(id) })),
    rows: Array.from({ length: 10 }, (_, digit) => String(digit)),
    image: imageGrid(images.subarray(0, 10 * ids.length * 256), { rows: 10, columns: ids.length, size: 16 }),
  })
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    createdAt: '2026-11-23T03:20:00.000Z',
    command: 'antipode demo --seeds 4',
    version: '0.1.0',
    adapter: {
      description: 'llvmpipe (LLVM 15.0.6, 256 bits)',
      vendor: 'mesa',
      backend: 'vulkan',
      software: true,
      host: 'Node 20.20.2 on linux/x64, 2 cores',
    },
    recipe: [
      {
        title: 'Preference training',
        settings: { beta: 1000, pairs: 2000, steps: 300, batch: 32, learningRate: 5e-5, rank: 4 },
      },
      { title: 'Sampling', settings: { solver: 'dpm-solver++ 2M', steps: 15, α: 1, β: 1, 'x0 clipped': true } },
      { title: 'Evaluation', settings: { 'pairs a seed': items, 'bootstrap resamples': samples } },
    ],
    base: { source: 'packages/digits/assets/digits-16.safetensors', sha256: 'ab'.repeat(32) },
    judge: {
      definition: 'A made-up judge <for tests> & nothing else.',
      labeller: 'A made-up reward.',
      classifierAccuracy: 0.957,
    },
    arms: ids.map((id) => {
      const [positive = '', negative = ''] = armLabel(id).split('/')
      const role = negative === '(−η)' || negative === 'random' ? ('control' as const) : ('arm' as const)
      return { id, positive, negative, role }
    }),
    evaluation,
    appearance: ids.map((arm, i) => ({
      arm,
      scale: evaluation.best[arm]!.scale,
      saturatedShare: 0.03 + 0.004 * i,
      pixelDeviation: 0.44 - 0.01 * i,
    })),
    offsets: SEEDS.map((seed) => ({ seed, etaNorm: 1.2, deltaNorm: 1.25, cosine: -0.73 + 0.01 * seed })),
    training: [preference('η: positive preference'), preference('δ: negative preference')],
    grids: [
      grid('Each arm at its own best scale', (id) => `w = ${evaluation.best[id]!.scale}`),
      grid('All arms at w = 4', () => 'w = 4'),
    ],
    timings: [
      { phase: 'load and compile', seconds: 12.4 },
      { phase: 'sample pairs', seconds: 96 },
      { phase: 'train η', seconds: 108.2 },
      { phase: 'train δ', seconds: 107.1 },
      { phase: 'choose scales', seconds: 61 },
      { phase: 'evaluate', seconds: 148.7 },
      { phase: 'statistics and report', seconds: 6.3 },
    ],
    memory: { peakDeviceBytes: 210 * 2 ** 20, peakProcessBytes: 1.1 * 2 ** 30 },
  }
}

/** Images that are easy to recognise: bars, wider in later columns. */
function bars(): Float32Array {
  return Float32Array.from({ length: 10 * 8 * 256 }, (_, i) =>
    i % 16 > 5 && i % 16 < 8 + (Math.floor(i / 256) % 6) ? 1 : -1,
  )
}
