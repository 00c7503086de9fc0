/**
 * Solves A·x = b by elimination with row pivoting, for the few unknowns that a multistep update has.
 * @param matrix rows of A, [n][n]; left as it was
 * @returns x, [n]; not finite where A is singular
 */
export function solveLinear(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!])
  for (let k = 0; k < rows.length; k++) {
    // The row with the largest entry in column k goes first among those that are left.
    const rest = rows.splice(k).sort((a, b) => Math.abs(b[k]!) - Math.abs(a[k]!))
    rows.push(...rest)
    const pivot = rows[k]!
    rows.forEach((row, i) => {
      const factor = i === k ? 0 : row[k]! / pivot[k]!
      if (factor !== 0) pivot.forEach((value, j) => (row[j]! -= factor * value))
    })
  }
  return rows.map((row, i) => row.at(-1)! / row[i]!)
}
