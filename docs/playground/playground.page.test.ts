import { type Browser, chromium, type Page } from 'playwright'
import { build, preview, type PreviewServer } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { chromiumArgs, chromiumPath } from '../../scripts/chromium.mjs'

const configFile = `${import.meta.dirname}/vite.config.ts`
let server: PreviewServer
let address: string

beforeAll(async () => {
  await build({ configFile, logLevel: 'error' })
  server = await preview({ configFile, preview: { port: 0, host: '127.0.0.1' } })
  address = server.resolvedUrls?.local[0] ?? ''
}, 120_000)
afterAll(() => server.close())

/** Opens the page; what goes wrong in it is collected in `problems`. */
async function open(hash: string, args: readonly string[]): Promise<{ page: Page; problems: string[] }> {
  const path = chromiumPath()
  const browser: Browser = await chromium.launch({ args: [...args], ...(path === undefined ? {} : { executablePath: path }) })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => { if (message.text().includes('Content Security Policy')) problems.push(message.text()) })
  await page.goto(`${address}${hash}`)
  return { page, problems }
}

/** The pixels of both grids at a step. */
async function picturesAt(page: Page, step: number): Promise<string[]> {
  await page.locator('#step').fill(`${step}`)
  return page.locator('canvas').evaluateAll((all) => all.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()))
}

test('the built page samples two arms from the same noise in a browser', async () => {
  const { page, problems } = await open('#digits=38&each=1&steps=2&left=unguided&right=base&w=4', chromiumArgs)
  await page.waitForSelector('html[data-state="done"]', { state: 'attached', timeout: 240_000 })
  const [noise, end] = [await picturesAt(page, 0), await picturesAt(page, 2)]
  expect(noise).toHaveLength(2)
  expect(noise[0]).toBe(noise[1])
  expect(end[0]).not.toBe(noise[0])
  expect(end[0]).not.toBe(end[1])
  expect(await page.locator('#facts').innerText()).toContain('swiftshader')
  expect(problems).toEqual([])
})

test('without WebGPU the page says why and what to do', async () => {
  const { page, problems } = await open('', ['--no-sandbox', '--headless=new', '--disable-gpu', '--disable-features=WebGPU'])
  await page.locator('#notice h2').filter({ hasText: 'WebGPU' }).waitFor({ timeout: 60_000 })
  expect(await page.locator('#notice li').count()).toBeGreaterThan(0)
  expect(await page.locator('#run').isDisabled()).toBe(true)
  expect(problems).toEqual([])
  // What somebody else put into the page would not run, nor call home.
  const blocked = await page.evaluate(async () => {
    const directives: string[] = []
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => { directives.push(effectiveDirective) })
    document.head.append(Object.assign(document.createElement('script'), { textContent: 'document.title = "taken"' }))
    await fetch('https://elsewhere.invalid/').catch(() => undefined)
    await new Promise((resolve) => { setTimeout(resolve) })
    return [document.title, ...directives]
  })
  expect(blocked).toEqual(['Antipode playground', 'script-src-elem', 'connect-src'])
})
