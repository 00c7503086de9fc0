import type { PackingCosts } from '@antipode/kernels-wgsl'
import { threeDigits } from '../../doctor/index.ts'
import type { TuneReport } from './tune.ts'

/** What `antipode bench --tune` prints for people. */
export function tuneText({ adapter, builtIn, packing, samples, regretBefore, regretNow, path }: TuneReport): string {
  const milliseconds = (ns: number): string => `${threeDigits(ns / 1e6)} ms`.padStart(10)
  const names = Math.max(...samples.map(({ name }) => name.length))
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`
  const lines = [
    'Adapter',
    `  name       ${adapter.device === '' ? adapter.description : adapter.device}`,
    '',
    'Products    in buffers, packed into textures, and what is chosen from now on',
    ...samples.map((s) => `  ${s.name.padEnd(names)}  ${milliseconds(s.buffers)}  ${milliseconds(s.packed)}  ${s.packedNow ? 'packed' : 'in buffers'}`),
    '',
    `Costs      ${packing === null ? 'packing paid for none: nothing is packed from now on' : 'nanoseconds, measured here and built in'}`,
    ...costRows(packing, builtIn),
    `  products chosen so are ${percent(regretNow)} slower than the faster way of each; by the costs built in, ${percent(regretBefore)}`,
    '',
    `Kept in ${path}`,
    'Programs go by it from now on; delete the file to go back.',
  ]
  return `${lines.join('\n')}\n`
}

function costRows(packing: PackingCosts | null, builtIn: PackingCosts | null): string[] {
  if (packing === null) return []
  const names = [
    ['buffer', 'a multiply-add in buffers'], ['texture', 'a multiply-add, packed'], ['element', 'an element packed'], ['dispatches', 'more dispatches'],
  ] as const
  return names.map(([key, name]) => `  ${name.padEnd(26)}${threeDigits(packing[key]).padStart(9)}${(builtIn === null ? 'none' : threeDigits(builtIn[key])).padStart(9)}`)
}
