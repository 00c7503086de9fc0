// Compares schedulers with what schedulers.py recorded of diffusers, and says of each case that differs how and by how much:
//   node --conditions=@antipode/source --import tsx tools/golden/schedulers.ts cases.jsonl
// With a number after it, it also writes as many cases of each class to the package's golden file.
import { readFileSync, writeFileSync } from 'node:fs'
import { float32Linear } from '../../packages/schedulers/src/linear/index.ts'
import { differences, float64Linear, runCase, type ReferenceCase, type ReferenceRun, type SampleCase } from '../../packages/schedulers/src/testing/reference.ts'

type Case = ReferenceCase & Partial<ReferenceRun> & {
  /** What diffusers says instead. */
  readonly error?: string
  /** Its own code in float64, on the same plan; nothing of it where that fails. */
  readonly float64?: Partial<ReferenceRun>
  /** Timesteps where roots and logarithms of tables are the nearest float32, if others than its own. */
  readonly nearest?: readonly number[]
}

const golden = new URL('../../packages/schedulers/src/solvers/random.golden.json', import.meta.url)
const [path, each = '0'] = process.argv.slice(2)
const [head = '{}', ...lines] = readFileSync(path!, 'utf8').trim().split('\n')
const counts: Record<string, number> = {}
const sample: SampleCase[] = []

/** What a case comes to, and what of it a sample keeps. */
function settle(one: Case): [kind: string, said: string, kept?: SampleCase] {
  const { class: name, config, step, request, error, timesteps, sigmas, spread, first, last, float64, nearest } = one
  const asked = { class: name, config, step, request }
  const ours = runCase(one, float32Linear)
  if (error !== undefined) return [typeof ours === 'string' ? 'both refuse' : 'only diffusers fails', error]
  if (typeof ours === 'string') return ['refused here', ours, { ...asked, refused: ours.split(', got')[0]! }]
  const tellsLevels = /^(EDM|CM)/.test(name) || config['timestep_type'] === 'continuous'
  if (!tellsLevels && timesteps!.some((t) => t! < 0)) return ['a timestep below 0 in diffusers', '']
  const reference = { timesteps: timesteps!, sigmas: sigmas!, spread: spread!, first: first!, last: last! }
  if ([...reference.first, ...reference.last].includes(null)) return ['not finite in diffusers', '']
  const apart = differences(ours, reference, 'float32')
  if (apart.length === 0) return ['equal', '', { ...asked, ...reference }]
  if (nearest !== undefined && differences(ours, { ...reference, timesteps: nearest }, 'float32').length === 0) {
    return ['equal but for the rounding of tables', apart.join(', ')]
  }
  if (float64?.last === undefined) return ['unlike', apart.join(', ')]
  const exact = float64 as ReferenceRun
  const double = runCase({ ...one, timesteps: exact.timesteps }, float64Linear) as ReferenceRun
  const left = differences(double, exact, 'float64')
  if (left.length === 0) return ['equal in float64', apart.join(', '), { ...asked, ...exact, float64: true }]
  return ['unlike', `${apart.join(', ')}; in float64 ${left.join(', ')}`]
}

const kept: Record<string, number> = {}
for (const line of lines) {
  const one = JSON.parse(line) as Case
  const [kind, said, part] = settle(one)
  counts[kind] = (counts[kind] ?? 0) + 1
  if (!['equal', 'both refuse', 'only diffusers fails'].includes(kind)) {
    console.log(`${kind}: ${said}\n  ${one.class} ${JSON.stringify({ ...one.config, ...one.step })} ${JSON.stringify(one.request)}`)
  }
  // Of each class some equal ones, and half as many of those that are settled otherwise; of equal ones short runs, for the file's size.
  const place = `${one.class} ${kind === 'equal' ? kind : 'else'}`
  const room = kind === 'equal' ? Number(each) : Number(each) / 2
  if (part === undefined || (kept[place] ?? 0) >= room || (kind === 'equal' && one.timesteps!.length > 8)) continue
  kept[place] = (kept[place] ?? 0) + 1
  sample.push(part)
}
console.log(JSON.stringify(counts))
if (Number(each) > 0) {
  const { diffusers, torch, seed } = JSON.parse(head) as Record<string, unknown>
  const provenance = `tools/golden/schedulers.py, seed ${String(seed)}: diffusers ${String(diffusers)} under torch ${String(torch)}, CPU`
  const body = sample.map((one) => `  ${JSON.stringify(one)}`).join(',\n')
  writeFileSync(golden, `{ "provenance": ${JSON.stringify(provenance)}, "cases": [\n${body}\n] }\n`)
}
