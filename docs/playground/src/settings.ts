import { type ArmId, armIds } from './arms.ts'

/** Everything the reader can choose; the address of the page carries it, so that a view can be shared. */
export interface Settings {
  /** Classes, in the order of the columns; at least one. */
  readonly digits: readonly number[]
  /** Images of each digit. */
  readonly each: number
  /** Guidance scale. */
  readonly w: number
  readonly alpha: number
  readonly beta: number
  readonly steps: number
  readonly seed: number
  readonly left: ArmId
  readonly right: ArmId
}

/** Bounds of the numbers. */
export const ranges = {
  each: { min: 1, max: 8, step: 1 },
  w: { min: 1, max: 8, step: 0.25 },
  alpha: { min: 0, max: 1, step: 0.05 },
  beta: { min: 0, max: 1.5, step: 0.05 },
  steps: { min: 2, max: 50, step: 1 },
  seed: { min: 0, max: 2 ** 31 - 1, step: 1 },
} as const

/** Name of a number among the settings. */
export type NumberName = keyof typeof ranges

export const numberNames: readonly NumberName[] = Object.keys(ranges) as NumberName[]

export const defaults: Settings = {
  digits: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], each: 4, w: 2, alpha: 1, beta: 1, steps: 15, seed: 7, left: 'base', right: 'merged',
}

/** Settings of an address' hash; what is missing or makes no sense is as in `fallback`. */
export function parseSettings(hash: string, fallback: Settings = defaults): Settings {
  const given = new URLSearchParams(hash.replace(/^#/, ''))
  const number = (name: NumberName): number => {
    const value = Number.parseFloat(given.get(name) ?? '')
    const { min, max } = ranges[name]
    return Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : fallback[name]
  }
  const arm = (side: 'left' | 'right'): ArmId => armIds.find((id) => id === given.get(side)) ?? fallback[side]
  const digits = [...new Set(given.get('digits')?.match(/\d/g) ?? [])].map(Number).sort((a, b) => a - b)
  return {
    digits: digits.length > 0 ? digits : fallback.digits,
    each: Math.round(number('each')),
    w: number('w'),
    alpha: number('alpha'),
    beta: number('beta'),
    steps: Math.round(number('steps')),
    seed: Math.round(number('seed')),
    left: arm('left'),
    right: arm('right'),
  }
}

/** The hash of an address that opens the page with these settings. */
export function settingsHash(settings: Settings): string {
  return `#${Object.entries(settings).map(([key, value]) => `${key}=${Array.isArray(value) ? value.join('') : value}`).join('&')}`
}
