import type { InspectResult } from './inspect.ts'

/** What was found, as a reader takes it in. */
export function inspectText({ path, what, opens, parts, metadata }: InspectResult): string {
  const width = Math.max(...parts.map(({ name }) => name.length))
  const lines = parts.map(({ name, className, tensors, parameters, types }) => {
    const counts = Object.entries(types).map(([type, count]) => `${count} ${type}`).join(', ')
    const size = tensors === 0 ? '' : `  ${tensors} tensors, ${millions(parameters)} parameters (${counts})`
    return `  ${name.padEnd(width)}  ${className}${size}`
  })
  const header = Object.entries(metadata).map(([key, value]) => `  ${key}: ${value}`)
  return [`${path} is ${what}`, ...lines, ...(header.length > 0 ? ['header', ...header] : []), `opened by ${opens}`, ''].join('\n')
}

const millions = (count: number): string => (count < 1e6 ? `${count}` : `${(count / 1e6).toFixed(1)} M`)
