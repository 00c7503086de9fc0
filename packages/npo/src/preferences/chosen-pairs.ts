/** Rows of the best and the worst candidate of a sample. */
export interface ChosenPair {
  readonly row: number
  readonly best: number
  readonly worst: number
}

/**
 * Best and worst of each sample's candidates, where they are far enough apart: candidate k of sample b has score k·B
 * + b.
 * Of equal scores the first counts.
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
