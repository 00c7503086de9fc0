import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import type { TrainStep } from '@antipode/npo'

/**
 * The steps of a training run on file, a line each, kept beside its checkpoint: a process may be killed at any
 * moment.
 */
export class CurveFile {
  readonly #path: string

  /** Goes on with the file there is, if `resume` is set, and without it otherwise. */
  constructor(path: string, resume: boolean) {
    this.#path = path
    if (!resume) rmSync(path, { force: true })
    // A line that was being written as the process died must not swallow the next one.
    else if (existsSync(path) && !readFileSync(path, 'utf8').endsWith('\n')) appendFileSync(path, '\n')
  }

  append(step: TrainStep): void {
    appendFileSync(this.#path, `${JSON.stringify(step)}\n`)
  }

  /** The steps in order; of steps made twice, because a run was killed between checkpoints, the later one. */
  steps(): TrainStep[] {
    const steps = new Map<number, TrainStep>()
    const lines = existsSync(this.#path) ? readFileSync(this.#path, 'utf8').split('\n') : []
    for (const step of lines.map(parsed)) if (step) steps.set(step.step, step)
    return [...steps.values()].sort((a, b) => a.step - b.step)
  }
}

/**
 * A line as it was written, or nothing if the process died while writing it. JSON has no infinity: the gradient of a
 * step that was left out is null there.
 */
function parsed(line: string): TrainStep | undefined {
  try {
    const step = JSON.parse(line) as TrainStep & { readonly gradNorm: number | null } // written by this module
    return { ...step, gradNorm: step.gradNorm ?? Infinity }
  } catch {
    return undefined
  }
}
