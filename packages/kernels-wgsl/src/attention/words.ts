import { repeat } from '../wgsl/index.ts'
import type { Loop, Words } from './loop.ts'
import type { Schedule } from './schedule.ts'
import { seenVector, type Sources } from './sources.ts'

/** Numbers per owned row: WGSL of their type, an f32 or u32 or a vector of as many as a lane has rows, and of the c-th of them. */
export function perRow(each: number): { type(scalar: 'f' | 'u'): string; component(name: string): string } {
  return {
    type: (scalar) => (each === 1 ? `${scalar}32` : `vec${each}${scalar}`),
    component: (name) => (each === 1 ? name : `${name}[c]`),
  }
}

/** WGSL of the number of an owned row's vector. */
const ownVector = (row: string): string => `own + ${row} * P.token`

/** WGSL of the element of an owned row's vector. */
export const ownElement = (row: string, channel: string): string => `own * P.depth + ${row} * P.token_elements + ${channel}`

/** The words of a loop in one form. */
export function wordsOf({ means }: Loop, { slots, together, group, element }: Sources, { each, lanes, cut }: Schedule): Words {
  const { component } = perRow(each)
  const rows: Words['rows'] = (f, merge) =>
    (merge === 'max' ? Array.from({ length: together }, (_, i) => f(i)).reduce((a, b) => `max(${a}, ${b})`)
    : merge ? `(${repeat(together, f, ' + ')})` : repeat(together, f))
  return {
    rows,
    // Partial sums of eight, so that the additions do not wait for one another.
    dot: (x, y, i) => {
      const sums = repeat(Math.ceil(slots / 8), (g) =>
        `(${repeat(Math.min(8, slots - 8 * g), (k) => `${x}_${8 * g + k} * ${element(y, 8 * g + k, i)}`, ' + ')})`, '\n + ')
      return group === 1 ? sums : `meet(${sums})`
    },
    add: (sum, by, y, keep) => repeat(slots, (d) =>
      `${sum}_${d} = ${keep ? `${keep} * ` : ''}${sum}_${d} + ${rows((i) => `${by}_${i} * ${element(y, d, i)}`, '+')};`),
    scale: (sum, by, none) => repeat(slots, (d) => `${sum}_${d} = select(${sum}_${d} * ${by}, R(), ${none});`, ' '),
    read: (name, buffer, [numbers, k] = [1, 0]) => `var ${name} = R();
    for (var c = 0u; c < P.each; c++) { ${component(name)} = ${buffer}[${numbers}u * (${ownVector(component('row'))}) + ${k}u]; }`,
    // Beyond the last row there are zeros, of its vectors too, so that none of the last row's counts twice.
    seen: (buffer, i, [numbers, k] = [1, 0]) => {
      const number = `${buffer}[${numbers}u * (${seenVector(i)}) + ${k}u]`
      return together > 1 ? `select(0.0, ${number}, j + ${i}u < P.others)` : number
    },
    finish: !means ? '' : `for (var c = 0u; c < P.each; c++) {
      let r = first + c * ${lanes}u + place;
      if (r < P.rows${group === 1 ? '' : ` && lane % ${group}u == 0u`}) {
        let at = ${cut ? 'part * P.vectors + ' : ''}${ownVector('r')};
        ${means.statistics}[2u * at] = ${component(cut ? 'top' : 'high')};
        ${means.statistics}[2u * at + 1u] = ${component(cut ? 'total' : 'norm')};
        ${cut ? '' : `${means.log}[at] = ${component('log_sum')};`}
      }
    }`,
  }
}
