import { evaluate, type Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'
import type { StepPairBatch } from '../objectives/index.ts'
import { type StepCoefficients, stepLevels } from '../transitions/index.ts'
import { conditionRows, rowsOf } from './rows.ts'

/** Rows of the best and the worst candidate of a sample. */
export interface ChosenPair {
  readonly row: number
  readonly best: number
  readonly worst: number
}

/**
 * Best and worst of each sample's candidates, where they are far enough apart: candidate k of sample b has score
 * k·B + b. Of equal scores the first counts.
 */
export function chosenPairs(
  scores: ArrayLike<number>, count: number, branches: number, threshold: number,
): ChosenPair[] {
  return Array.from({ length: count }, (_, row) => {
    const own = Array.from({ length: branches }, (_, k) => scores[k * count + row] as number)
    const [top, low] = [Math.max(...own), Math.min(...own)]
    return { row, best: own.indexOf(top), worst: own.indexOf(low), gap: Math.tanh((top - low) / 2) }
  }).filter(({ gap }) => gap > threshold).map(({ row, best, worst }) => ({ row, best, worst }))
}

/** Pairs of one step of a branching. Its tensors are the caller's to dispose, but for the condition's. */
export interface BranchedPairs<C extends Condition> extends StepPairBatch<C>, Disposable {
  /** Rows of the noise that the pairs belong to. */
  readonly rows: readonly number[]
}

/** The best and the worst candidate's step from the first to the second of `samples`. */
export async function stepPairs<C extends Condition>(
  [begun, ended]: readonly [Tensor, Tensor], step: StepCoefficients, pairs: readonly ChosenPair[], count: number,
  condition: C,
): Promise<BranchedPairs<C>> {
  const rows = pairs.map(({ row }) => row)
  const at = (side: 'best' | 'worst'): number[] => pairs.map((pair) => pair[side] * count + pair.row)
  const together = begun.shape[0] === count
  const from = rowsOf(begun, together ? rows : at('best'))
  const others = together ? from : rowsOf(begun, at('worst'))
  const [best, worst] = [rowsOf(ended, at('best')), rowsOf(ended, at('worst'))]
  const all = [...new Set([from, others, best, worst])]
  await evaluate(...all)
  const levels = stepLevels(begun.device, rows.map(() => step), begun.rank)
  return {
    rows, condition: conditionRows(condition, rows), chosen: { ...levels, sample: from, next: best },
    rejected: { ...levels, sample: others, next: worst },
    [Symbol.dispose]: () => { for (const t of all) t.dispose() },
  }
}
