import { expect, test } from 'vitest'
import { adviceFor } from './src/advice.ts'
import { arms, available, formula } from './src/arms.ts'
import { layoutOf } from './src/layout.ts'
import { defaults, parseSettings, settingsHash } from './src/settings.ts'

test('an address carries all settings, and nonsense in it falls back', () => {
  const settings = { ...defaults, digits: [3, 8], w: 4.5, alpha: 0.5, seed: 12, left: 'npo', right: 'dpo' } as const
  expect(parseSettings(settingsHash(settings))).toEqual(settings)
  expect(parseSettings('#w=NaN&steps=9e9&digits=x&left=constructor&each=2.4')).toEqual({ ...defaults, steps: 50, each: 2 })
})

test('formulas write θ⁻ as the weights have it', () => {
  const mix = { alpha: 1, beta: 0.25 }
  expect(formula(arms.merged.negative(mix))).toBe('θ + η + 0.25·δ')
  expect(formula(arms.merged.negative({ alpha: 0, beta: 0 }))).toBe('θ')
  expect(formula(arms.reversed.negative())).toBe('θ − η')
  expect(formula(arms.base.positive)).toBe('θ')
})

test('an arm needs the offsets on its branches and no others', () => {
  expect(available('base', new Set())).toBe(true)
  expect(available('npo', new Set(['eta']))).toBe(false)
  expect(available('merged', new Set(['eta', 'delta']))).toBe(true)
})

test('every image has its digit, and each digit keeps to its columns', () => {
  for (const [digits, each] of [[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4], [[7], 8], [[1, 2], 6], [[5], 1], [[0, 4, 9], 7]] as const) {
    const { labels, columns, rows } = layoutOf(digits, each)
    expect(labels).toHaveLength(digits.length * each)
    expect(columns * rows).toBe(labels.length)
    for (const digit of digits) expect(labels.filter((label) => label === digit)).toHaveLength(each)
    labels.forEach((label, i) => expect(label).toBe(labels[i % columns]))
  }
})

test('advice names the remedy of the host at hand', () => {
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const chromium = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
  expect(adviceFor({ secure: false, api: false, userAgent: chromium }).problem).toContain('HTTPS')
  expect(adviceFor({ secure: true, api: false, userAgent: firefox }).remedies.join()).toContain('about:config')
  expect(adviceFor({ secure: true, api: false, userAgent: chromium }).remedies.join()).toContain('--enable-unsafe-webgpu')
  expect(adviceFor({ secure: true, api: true, userAgent: chromium }).remedies.join()).toContain('chrome://gpu')
})
