import { chromium } from 'playwright'
import { expect, onTestFinished, test } from 'vitest'
import { chromiumArgs, chromiumPath } from '../scripts/chromium.mjs'

test('a report shows its charts and styles under its own policy, which forbids all else', async () => {
  const path = chromiumPath()
  const browser = await chromium.launch({ args: chromiumArgs, ...(path === undefined ? {} : { executablePath: path }) })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()) })
  await page.goto(new URL('../benchmarks/results.html', import.meta.url).href)
  const charts = page.locator('svg')
  expect(await charts.count()).toBeGreaterThan(0)
  expect((await charts.first().boundingBox())?.height).toBeGreaterThan(100)
  expect(await page.locator('main').evaluate((main) => getComputedStyle(main).maxWidth)).toBe('1280px')
  expect(problems).toEqual([])
  const title = await page.evaluate(() => {
    document.head.append(Object.assign(document.createElement('script'), { textContent: 'document.title = "taken"' }))
    return document.title
  })
  expect(title).toBe('Benchmarks of Antipode')
  expect(problems.join()).toContain('Content Security Policy')
})
