import type { InspectResult } from './inspect.ts'

/** What was found, as a reader takes it in. */
export function inspectText({ path, what, opens, parts, metadata }: InspectResult): string {
  const width = Math.max(...parts.map(({ name }) => name.length))
  const lines = parts.map(({ name, className, tensors, parameters, types }) => {
    const counts = Object.entries(types).map(([type, of]) => `${of.tensors} ${type} in ${size(of.bytes)}`).join(', ')
    const all = tensors === 0 ? '' : `  ${tensors} tensors, ${millions(parameters)} parameters (${counts})`
    return `  ${name.padEnd(width)}  ${className}${all}`
  })
  const header = Object.entries(metadata).map(([key, value]) => `  ${key}: ${value}`)
  return [`${path} is ${what}`, ...lines, ...(header.length > 0 ? ['header', ...header] : []), `opened by ${opens}`, ''].join('\n')
}

const millions = (count: number): string => (count < 1e6 ? `${count}` : `${(count / 1e6).toFixed(1)} M`)
const size = (bytes: number): string => (bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(1)} MiB`)
