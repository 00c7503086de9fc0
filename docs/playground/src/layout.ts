/** Where images go: `labels[i]` is the class of image i, which stands in column `i % columns`. */
export interface Layout {
  readonly labels: Int32Array
  readonly columns: number
  readonly rows: number
}

/** Widest grid. */
const maxColumns = 12

/** A column per digit, or several side by side where few digits are chosen, so that the grid is never tall and thin. */
export function layoutOf(digits: readonly number[], each: number): Layout {
  let repeat = 1
  for (let n = 2; n <= each && n * digits.length <= maxColumns; n++) if (each % n === 0 && each / n >= 2) repeat = n
  const columns = digits.length * repeat
  const rows = each / repeat
  return { columns, rows, labels: Int32Array.from({ length: columns * rows }, (_, i) => digits[i % digits.length] ?? 0) }
}
