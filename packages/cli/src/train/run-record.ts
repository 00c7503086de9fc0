import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrainStep } from '@antipode/npo'
import { contactSheet, encodePng, type PixelSource } from '@antipode/pipelines'
import { CurveFile } from './curve.ts'
import { EventFile } from './events/index.ts'

/** Files of a run below its folder. */
export const runFiles = {
  settings: 'settings.json', metrics: 'metrics.jsonl', run: 'run.safetensors', samples: 'samples',
} as const

/** What is kept of a run while it trains: metrics as JSON lines and as events, settings, and grids of samples. */
export class RunRecord {
  readonly #out: string
  readonly #settings: object
  readonly #curve: CurveFile
  #events: EventFile | undefined

  /** Goes on with what is there, if `resume` is set. */
  constructor(out: string, settings: object, resume: boolean) {
    this.#out = out
    this.#settings = settings
    this.#curve = new CurveFile(join(out, runFiles.metrics), resume)
  }

  async add(step: TrainStep): Promise<void> {
    if (!this.#events) {
      // Not before: a run that does not fit what is there leaves it as it is.
      this.#events = new EventFile(this.#out)
      await writeFile(join(this.#out, runFiles.settings), `${JSON.stringify(this.#settings, null, 2)}\n`)
    }
    this.#curve.append(step)
    const { loss, gradNorm, metrics, lossScale } = step
    this.#events.scalars(step.step + 1, { loss, gradNorm, ...metrics, ...(lossScale === undefined ? {} : { lossScale }) })
  }

  /** A grid of what was sampled after so many steps. */
  async samples(steps: number, images: readonly PixelSource[], columns: number): Promise<void> {
    const sheet = contactSheet(images, { columns })
    const png = encodePng(sheet)
    const folder = join(this.#out, runFiles.samples)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `${`${steps}`.padStart(6, '0')}.png`), png)
    this.#events?.picture(steps, 'samples', { height: sheet.height, width: sheet.width, png })
  }

  /** The last step of the run, those of earlier processes too. */
  get last(): TrainStep | undefined {
    return this.#curve.steps().at(-1)
  }
}
