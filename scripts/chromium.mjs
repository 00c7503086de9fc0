import { existsSync } from 'node:fs'

// Debian's own package first; a browser elsewhere is named by the environment.
const candidates = [
  process.env['ANTIPODE_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Path of the Chromium that runs the browser tests, or undefined when none is installed. */
export function chromiumPath() {
  return candidates.find((path) => path !== undefined && existsSync(path))
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
