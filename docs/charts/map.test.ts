import { readdirSync, readFileSync } from 'node:fs'
import type { SuiteResults } from '@antipode/cli/map'
import { expect, test } from 'vitest'
import { filled, mapGuideOf } from './map-guide.ts'

const docs = `${import.meta.dirname}/..`
const guide = readFileSync(`${docs}/guides/map.md`, 'utf8')
const folder = `${docs}/images/map`
const results = JSON.parse(readFileSync(`${docs}/results/map.json`, 'utf8')) as SuiteResults

test('the guide and its charts are those of the committed results; run docs/charts/map.ts where they are not', () => {
  const { images, sections } = mapGuideOf(results)
  expect(guide).toBe(filled(guide, sections))
  expect(readdirSync(folder).sort()).toEqual(Object.keys(images).sort())
  for (const [name, svg] of Object.entries(images)) expect(readFileSync(`${folder}/${name}`, 'utf8'), name).toBe(svg)
})

test('every part that is drawn has its place, every place its part, and every chart is shown', () => {
  const { images, sections } = mapGuideOf(results)
  const text = filled(guide, sections)
  expect([...guide.matchAll(/<!-- drawn: (\w+) -->/g)].map(([, name]) => name).sort()).toEqual(Object.keys(sections).sort())
  expect([...text.matchAll(/\(\.\.\/images\/map\/([\w-]+\.svg)\)/g)].map(([, name]) => name).sort()).toEqual(Object.keys(images).sort())
  expect(filled(text, sections)).toBe(text)
  expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/)
})

test('a table has a line for each row, as wide as its head', () => {
  const lines = mapGuideOf(results).sections['rows']!.split('\n')
  expect(lines).toHaveLength(2 + results.rows.length)
  const width = (line: string): number => line.replaceAll('\\|', '').split('|').length
  for (const line of lines) expect(width(line)).toBe(width(lines[0]!))
})

test('a chart stands as an image: it has a size, and no colour or letters of a page', () => {
  for (const svg of Object.values(mapGuideOf(results).images)) {
    expect(svg).toMatch(/^<svg width="\d+" height="\d+" .*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    expect(svg).not.toMatch(/var\(|#0[0-9a-d]0[0-9a-d]0[0-9a-d]\b/)
  }
})
