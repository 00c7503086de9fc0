import { existsSync, statSync } from 'node:fs'

// Debian's own package first.
const candidates = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => `${process.env[name]}\\Google\\Chrome\\Application\\chrome.exe`),
]

/** Path of the Chromium that runs the browser tests: the one that ANTIPODE_CHROMIUM names, or else the first that is installed, if any. */
export function chromiumPath() {
  const named = process.env['ANTIPODE_CHROMIUM'] ?? ''
  if (named === '') return candidates.find(existsSync)
  if (!statSync(named, { throwIfNoEntry: false })?.isFile()) throw new RangeError(`expected ANTIPODE_CHROMIUM to be the path of a program, got ${named}, where none is.`)
  return named
}

/**
 * Arguments under which headless Chromium offers WebGPU on a machine without a GPU.
 * SwiftShader stands in for one; the rest keeps the browser off the network and lets it start as root.
 */
export const chromiumArgs = [
  '--headless=new',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
]
