// Draws the charts of docs/guides/map.md and writes its tables and sentences, of the results that `antipode demo --suite` wrote:
//   cp runs/demo/map.json docs/results/ && node --conditions=@antipode/source --import tsx docs/charts/map.ts
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SuiteResults } from '@antipode/cli/map'
import { filled, mapGuideOf } from './map-guide.ts'

const docs = join(import.meta.dirname, '..')
const folder = join(docs, 'images/map')
const guide = join(docs, 'guides/map.md')

const { images, sections } = mapGuideOf(JSON.parse(readFileSync(join(docs, 'results/map.json'), 'utf8')) as SuiteResults)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const [name, svg] of Object.entries(images)) writeFileSync(join(folder, name), svg)
writeFileSync(guide, filled(readFileSync(guide, 'utf8'), sections))
console.log(`${Object.keys(images).length} charts drawn to ${folder}`)
