import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The version of an installed package, this one among them; `null` if it is not installed. */
export function packageVersion(name: string): string | null {
  try {
    const manifest: unknown = require(`${name}/package.json`)
    return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : null
  } catch {
    return null
  }
}
