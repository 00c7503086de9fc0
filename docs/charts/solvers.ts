// Draws the charts of docs/guides/solvers.md and writes its tables:
//   node --conditions=@antipode/source --import tsx docs/charts/solvers.ts
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorChart, portraitChart } from './draw.ts'
import { distributionFloor, portraitOf, solvers, type Measured, type Portrait } from './runs.ts'

const docs = join(import.meta.dirname, '..')
const images = join(docs, 'images/solvers')
const guide = join(docs, 'guides/solvers.md')

const portraits = solvers.map(portraitOf)
const floor = distributionFloor()
const inversion = ({ name }: Portrait): boolean => name.endsWith('Inverse')
const exact = portraits.filter((one) => one.kind === 'path' && !inversion(one))
const random = portraits.filter(({ kind }) => kind === 'distribution')
const ddim = portraits.find(({ name }) => name === 'ddim')

rmSync(images, { recursive: true, force: true })
mkdirSync(images, { recursive: true })
const write = (name: string, svg: string): void => writeFileSync(join(images, `${name}.svg`), svg)

const linesOf = (list: readonly Portrait[], errors: (one: Portrait) => readonly Measured[]): { label: string; errors: readonly Measured[] }[] =>
  list.map((one) => ({ label: one.name, errors: errors(one) })).filter((one) => one.errors.length > 0)
write('by-timesteps', errorChart('by-timesteps', linesOf(exact, ({ errors }) => errors), { low: 1e-4 }))
write('by-karras-levels', errorChart('by-karras-levels', linesOf(exact, ({ onKarrasLevels }) => onKarrasLevels), { low: 1e-5 }))
write('with-noise', errorChart('with-noise', linesOf(random, ({ errors }) => errors), { low: 0.01, floor }))
for (const one of portraits) {
  const behind = one.kind === 'path' && !inversion(one) && one.name !== 'ddim' ? ddim : undefined
  write(one.name, portraitChart(one, behind, floor))
}

/** The error with as many of the calls as a run can use. */
function within(errors: readonly Measured[], calls: number): string {
  const most = errors.filter((one) => one.calls <= calls).at(-1)
  return most === undefined ? '–' : most.error < 0.001 ? most.error.toExponential(0) : String(Number(most.error.toPrecision(2)))
}

function table(list: readonly Portrait[]): string {
  const cells = (errors: readonly Measured[]): string[] => [10, 25, 50].map((calls) => within(errors, calls))
  const rows = list.map((one) => [`\`${one.name}\``, String(one.perStep), ...cells(one.errors), ...cells(one.onKarrasLevels)])
  const head = ['solver', 'calls a step', '10', '25', '50', '10, Karras', '25, Karras', '50, Karras']
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const alt = (one: Portrait): string => `Paths and errors of ${one.name}`
const sections: Record<string, string> = {
  exact: table(exact),
  inversions: table(portraits.filter(inversion)),
  random: table(random),
  portraits: portraits.map((one) => `![${alt(one)}](../images/solvers/${one.name}.svg)`).join('\n\n'),
}
const page = readFileSync(guide, 'utf8').replaceAll(
  /(<!-- drawn: (\w+) -->\n).*?(\n<!-- end -->)/gs,
  (_, begin: string, name: string, end: string) => `${begin}\n${sections[name] ?? ''}\n${end}`,
)
writeFileSync(guide, page)
console.log(`${portraits.length} solvers drawn to ${images}`)
