// `npm run fuzz -- --inputs 1000000 --seed 1` reads so many spoilt files; `--first N --inputs 1` repeats one of them.

import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({ options: {
  inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' }, first: { type: 'string', default: '0' },
} })
const whole = (name: keyof typeof values): number => {
  const text = values[name]
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new TypeError(`fuzz: expected --${name} to be a whole number, got ${text}`)
}
const [seed, inputs, from] = [whole('seed'), whole('inputs'), whole('first')]
const started = performance.now()
let found = 0
const outcomes: Record<string, { taken: number; refused: number }> = {}
let mostAsked = 0
const part = 2000
for (let first = from; first < from + inputs; first += part) {
  const report = await fuzz({ seed, first, inputs: Math.min(part, from + inputs - first) })
  for (const { input, target, way, problem } of report.findings) console.log(`input ${input} (${target} by ${way}): ${problem}\n`)
  found += report.findings.length
  mostAsked = Math.max(mostAsked, report.mostAsked)
  for (const [name, { taken, refused }] of Object.entries(report.outcomes)) {
    const sum = outcomes[name] ??= { taken: 0, refused: 0 }
    sum.taken += taken
    sum.refused += refused
  }
  console.error(`${Math.min(first + part, from + inputs) - from} of ${inputs} inputs, ${found} findings`)
}
console.log(outcomes)
console.log(`${inputs} inputs from seed ${seed}: ${found} findings; at most ${mostAsked.toFixed(2)} times a file's size asked for; ${((performance.now() - started) / 1000).toFixed(0)} s`)
process.exitCode = found === 0 ? 0 : 1
