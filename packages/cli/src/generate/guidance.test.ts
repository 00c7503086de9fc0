import type { Guider } from '@antipode/npo'
import { expect, test } from 'vitest'
import { guiderChoice, guiders } from '../guider-choice.ts'
import { guidanceOf } from './guidance.ts'

test('a way of guidance is a name, one with a scale, or both', () => {
  expect(['apg', 'pag', 'pag:2', 'cfg-zero,sag:0.5', 'cfg'].map((text) => guiderChoice.read(text))).toEqual([
    { guider: 'apg' }, { guider: 'cfg', perturbation: { kind: 'pag', scale: 3 } }, { guider: 'cfg', perturbation: { kind: 'pag', scale: 2 } },
    { guider: 'cfg-zero', perturbation: { kind: 'sag', scale: 0.5 } }, { guider: 'cfg' },
  ])
  for (const text of ['', 'apg,', 'pag:', 'pag,apg', 'apg:3', 'apgpag', 'apg,pag:-1', 'other']) {
    expect(guiderChoice.range.accepts(guiderChoice.read(text)), text).toBe(false)
  }
  const at = { step: 1, steps: 4, sigma: 1, nextSigma: 0.5 }
  for (const guider of guiders) {
    const { guider: plain, perturbed: none } = guidanceOf({ guider })
    expect([(plain as (scale: number) => Guider)(5).active(at), none]).toEqual([true, undefined])
    for (const kind of ['pag', 'seg', 'slg', 'sag'] as const) {
      const { guider: make, perturbed } = guidanceOf({ guider, perturbation: { kind, scale: 2 } })
      expect([(make as (scale: number) => Guider)(5).perturbs?.(at), perturbed === undefined]).toEqual([true, false])
    }
  }
})
