import { type AdapterDescription, Device, saveTuning, UnsupportedError, type AdapterTuning } from '@antipode/core'
import { packingPays, packingTerms } from '@antipode/kernels-wgsl'
import { bestOf } from '../../doctor/index.ts'
import type { Progress } from '../../progress/index.ts'
import { fitPacking, regret, type Sample } from './fit.ts'
import { onLeaves, type Product, tuningProducts } from './products.ts'

/** Version of the JSON that `antipode bench --tune --json` prints. */
const TUNE_SCHEMA_VERSION = 1

/** Options of `antipode bench --tune`. */
export interface TuneOptions {
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** Picks among products. */
type Selection = (products: readonly Product[]) => readonly Product[]

/** What was measured, what it came to, and where that is kept. */
export interface TuneReport {
  readonly schemaVersion: typeof TUNE_SCHEMA_VERSION
  readonly adapter: AdapterDescription
  /** The costs built in for this class of adapter, and those measured; null says that nothing is packed. */
  readonly builtIn: AdapterTuning['packing']
  readonly packing: AdapterTuning['packing']
  readonly samples: readonly TunedSample[]
  /** How much slower the samples are than if each were computed the faster way, on average: by the costs built in, and by those kept. */
  readonly regretBefore: number
  readonly regretNow: number
  /** The file. */
  readonly path: string
}

/** A product, and what the costs make of it. */
export interface TunedSample extends Sample {
  /** Whether it would be packed by the costs built in, and by those measured. */
  readonly packedBefore: boolean
  readonly packedNow: boolean
}

/** How often a product is timed either way. */
const turns = 2
/** Costs by which everything is packed. */
const always = { buffer: 1, texture: 0, element: 0, dispatches: 0 } as const

/**
 * Times products on operands in buffers and packed into textures, finds the costs that explain the times, and keeps them for
 * this user; or the costs built in, where those choose better. What was kept before has no part in it, damaged or not. Takes
 * half a minute.
 * @param select which products to time, all of them by default
 * @throws {UnsupportedError} if this adapter cannot pack @throws {ConfigError} if the file cannot be written
 */
export async function runTune(options: TuneOptions, select: Selection = (all) => all): Promise<TuneReport> {
  const report = await tuneAdapter(options, select)
  return { ...report, path: await saveTuning(report, { packing: report.packing, measured: measuredBy(report.samples) }) }
}

/** {@link runTune} without keeping what is found. */
async function tuneAdapter({ signal, progress }: TuneOptions, select: Selection): Promise<Omit<TuneReport, 'path'>> {
  // Plans are kept by graph, so each way of computing a product needs a device of its own.
  await using plain = await Device.request({ signal, tuning: 'built-in' })
  const row = plain.target.tuning
  await using buffers = await Device.request({ signal, tuning: { ...row, packing: null } })
  await using packing = await Device.request({ signal, tuning: { ...row, packing: always } })
  const { target } = packing
  if (target.textureRows === 0 || target.subgroupSize < 4) {
    throw new UnsupportedError('bench --tune: expected an adapter with subgroups of one size and readable storage textures, got one without: there is nothing to choose here')
  }
  const products = select(tuningProducts(plain.adapter.software))
  const phase = progress.phase('timing products', products.length)
  const samples: Sample[] = []
  for (const product of products) {
    const time = (device: Device): Promise<number> =>
      onLeaves(device, product, (once) => bestOf(device, once, { signal, now: () => performance.now() }))
    let [inBuffers, packed] = [Infinity, Infinity]
    // In turns, so that a neighbour's burst does not fall on one of them alone.
    for (let turn = 0; turn < turns; turn++) {
      inBuffers = Math.min(inBuffers, await time(buffers))
      packed = Math.min(packed, await time(packing))
    }
    samples.push({ name: product.name, terms: packingTerms(product.work, target), buffers: 1e6 * inBuffers, packed: 1e6 * packed })
    phase.advance(1, product.name)
  }
  phase.done()
  const fitted = fitPacking(samples)
  const pays = (costs: AdapterTuning['packing'], i: number): boolean => {
    const product = products[i]
    return product !== undefined && packingPays(product.work, { ...target, tuning: { ...row, packing: costs } })
  }
  const slower = (costs: AdapterTuning['packing']): number => regret(samples, (_, i) => pays(costs, i))
  const found = slower(fitted) <= slower(row.packing) ? fitted : row.packing
  return {
    schemaVersion: TUNE_SCHEMA_VERSION, adapter: plain.adapter, builtIn: row.packing, packing: found,
    regretBefore: slower(row.packing), regretNow: slower(found),
    samples: samples.map((s, i) => ({ ...s, packedBefore: pays(row.packing, i), packedNow: pays(found, i) })),
  }
}

function measuredBy(samples: readonly Sample[]): string {
  return `antipode bench --tune on this adapter, ${samples.length} products, ${new Date().toISOString().slice(0, 10)}`
}
