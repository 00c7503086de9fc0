import type { Evaluation } from '@antipode/npo/evaluation'

/** Version of `report.json`; it grows when a reader of an older file would misunderstand a newer one. */
export const REPORT_SCHEMA_VERSION = 2

/** Everything in `report.json`; `report.html` is drawn from it and from nothing else. */
export interface ReportData {
  readonly schemaVersion: typeof REPORT_SCHEMA_VERSION
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** What the user typed. */
  readonly command: string
  readonly version: string
  readonly adapter: AdapterReport
  /** What was run, in groups such as "Base", "Preference training", "Sampling", "Evaluation". */
  readonly recipe: readonly RecipeGroup[]
  /** The checkpoint all arms start from. */
  readonly base: { readonly sha256: string; readonly source: string }
  readonly judge: JudgeReport
  readonly arms: readonly ArmReport[]
  readonly evaluation: Evaluation
  /** How the samples look, beside how they score. */
  readonly appearance: readonly AppearanceReport[]
  /** What η and δ turned out to be, for each training seed. */
  readonly offsets: readonly OffsetReport[]
  readonly training: readonly TrainingReport[]
  readonly grids: readonly GridReport[]
  readonly timings: readonly PhaseTiming[]
  readonly memory: MemoryReport
}

/** The machine and GPU adapter of the run. */
export interface AdapterReport {
  readonly description: string
  readonly vendor: string
  readonly backend: string
  /** True for adapters that compute on the CPU, such as lavapipe. */
  readonly software: boolean
  /** Host, for example "Node 20.20.2 on linux/x64, 2 cores". */
  readonly host: string
}

/** A titled list of settings. */
export interface RecipeGroup {
  readonly title: string
  readonly settings: Readonly<Record<string, string | number | boolean>>
}

/** Who judges. */
export interface JudgeReport {
  /** Plain words. */
  readonly definition: string
  /** The reward that labelled the pairs, in plain words: it must be another function. */
  readonly labeller: string
  /** Accuracy of the judge's classifier on digits it was not trained on, in [0, 1]. */
  readonly classifierAccuracy: number
}

/** An arm: which weights guide towards, and which away. */
export interface ArmReport {
  /** Positive/negative, one of `ARMS` of `@antipode/npo/evaluation` or another. */
  readonly id: string
  readonly positive: string
  readonly negative: string
  readonly role: 'arm' | 'control'
}

/** Look of an arm's samples at its best scale. */
export interface AppearanceReport {
  readonly arm: string
  readonly scale: number
  /** Share of pixels at full ink, in [0, 1]. */
  readonly saturatedShare: number
  /** Pixel standard deviation over samples of a class: diversity. */
  readonly pixelDeviation: number
}

/** Geometry of the two offsets of one training seed. */
export interface OffsetReport {
  readonly seed: number
  readonly etaNorm: number
  readonly deltaNorm: number
  /** Cosine of η and δ; −1 would make δ a mere reversal of η. */
  readonly cosine: number
}

/** Curves of one training run; series of one run share a chart if they share a unit. */
export interface TrainingReport {
  readonly title: string
  readonly charts: readonly TrainingChart[]
}

/** One chart: metric over steps. */
export interface TrainingChart {
  readonly title: string
  readonly series: readonly {
    readonly name: string
    readonly steps: readonly number[]
    readonly values: readonly number[]
  }[]
}

/** Samples of several arms from the same noises, as one picture. */
export interface GridReport {
  readonly title: string
  readonly caption: string
  readonly columns: readonly { readonly title: string; readonly subtitle: string }[]
  /** A label for each row, for example the digit asked for. */
  readonly rows: readonly string[]
  /** PNG data URI of `imageGrid`. */
  readonly image: string
}

/** Wall time of a phase. Phases follow one another, and together are the whole run. */
export interface PhaseTiming {
  readonly phase: string
  readonly seconds: number
}

/** Peaks of the run, in bytes. */
export interface MemoryReport {
  readonly peakDeviceBytes: number
  readonly peakProcessBytes: number
}
