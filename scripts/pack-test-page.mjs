// Builds a small Vite page that imports the installed packages, and runs it in headless Chromium.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { build, preview } from 'vite'
import { chromiumArgs, chromiumPath } from './chromium.mjs'

const minute = 60_000

/** The page's script: what each entry exports, a result that needs no device, and one of a device if there is any. */
function script(entries) {
  const imports = entries.map((entry, i) => `import * as m${i} from '${entry}'`)
  const modules = entries.map((entry, i) => `'${entry}': m${i}`)
  return `${imports.join('\n')}
const modules = { ${modules.join(', ')} }
globalThis.counts = Object.fromEntries(Object.entries(modules).map(([name, m]) => [name, Object.keys(m).length]))
globalThis.timesteps = modules['@antipode/schedulers'].ddim({}).timesteps(4).timesteps
globalThis.useDevice = async () => {
  if (!(await navigator.gpu?.requestAdapter())) return 'no adapter'
  const { Device, tensor } = modules['@antipode/core']
  const device = await Device.request()
  const x = tensor(device, [1, 2, 3, 4], [2, 2])
  return [...(await x.matmul(x).data())].join(' ')
}
globalThis.ready = true
`
}

/** Builds and loads the page in `project`; resolves to one { name, problem? } for each check. */
export async function loadPage(project, entries) {
  const page = join(project, 'page')
  mkdirSync(page)
  writeFileSync(join(page, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>\n')
  writeFileSync(join(page, 'main.js'), script(entries))
  const warnings = []
  const customLogger = quietLogger(warnings)
  const config = { root: page, configFile: false, customLogger, build: { target: 'es2022' } }
  try {
    await build(config)
  } catch (error) {
    return [{ name: 'Vite builds a page of all packages', problem: String(error) }]
  }
  // Vite replaces Node's modules by empty ones and only warns: in a browser they would fail at the first use.
  const externalised = warnings.filter((warning) => warning.includes('externalized'))
  const built = { name: 'Vite builds a page of all packages', problem: externalised.join('\n') || undefined }
  return [built, ...(await visit(config, entries))]
}

async function visit(config, entries) {
  const server = await preview({ ...config, preview: { port: 0, host: '127.0.0.1' } })
  const { port } = server.httpServer.address()
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs })
  const errors = []
  try {
    const tab = await browser.newPage()
    tab.on('pageerror', (error) => errors.push(String(error)))
    await tab.goto(`http://127.0.0.1:${port}/`)
    const name = 'a browser loads the page without an error'
    try {
      await tab.waitForFunction('globalThis.ready === true', undefined, { timeout: minute })
    } catch (error) {
      return [{ name, problem: [...errors, String(error)].join('\n') }]
    }
    const counts = await tab.evaluate('globalThis.counts')
    const empty = entries.filter((entry) => !(counts[entry] > 0))
    const timesteps = await tab.evaluate('globalThis.timesteps')
    const product = await tab.evaluate('globalThis.useDevice()').catch((error) => String(error))
    return [
      { name, problem: errors.join('\n') || undefined },
      { name: 'every entry has exports in the browser', problem: empty.length > 0 ? `empty: ${empty}` : undefined },
      { name: 'a scheduler works in the browser', problem: differs(timesteps, [750, 500, 250, 0]) },
      // [[1, 2], [3, 4]] squared.
      {
        name: product === 'no adapter' ? 'the browser has no adapter to test a device on' : 'a device works in the browser',
        problem: product === 'no adapter' ? undefined : differs(product, '7 10 15 22'),
      },
    ]
  } finally {
    await browser.close()
    await server.close()
  }
}

function differs(actual, expected) {
  return String(actual) === String(expected) ? undefined : `expected ${expected}, got ${actual}`
}

function quietLogger(warnings) {
  const warn = (message) => warnings.push(message)
  const nothing = () => undefined
  return {
    info: nothing,
    warn,
    warnOnce: warn,
    error: warn,
    clearScreen: nothing,
    hasErrorLogged: () => false,
    hasWarned: false,
  }
}
