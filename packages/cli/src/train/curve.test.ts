import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TrainStep } from '@antipode/npo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CurveFile } from './curve.ts'

let path: string
beforeEach(() => { path = join(mkdtempSync(join(tmpdir(), 'antipode-curve-')), 'eta.curve') })
afterEach(() => { rmSync(join(path, '..'), { recursive: true, force: true }) })

const at = (step: number, loss = step / 3): TrainStep => ({ step, steps: 4, loss, gradNorm: 1, metrics: { accuracy: 0.5 } })

test('a curve goes on where a killed run left it, and of a step made twice the later one counts', () => {
  const first = new CurveFile(path, false)
  for (const step of [at(0), at(1), at(2, 7)]) first.append(step)
  const second = new CurveFile(path, true)
  for (const step of [at(2), at(3)]) second.append(step)
  expect(second.steps()).toEqual([at(0), at(1), at(2), at(3)])
})

test('a line that a kill cut off costs no other line, and steps come in order', () => {
  new CurveFile(path, false).append(at(1))
  appendFileSync(path, JSON.stringify(at(2)).slice(0, 20))
  const curve = new CurveFile(path, true)
  curve.append(at(2))
  curve.append(at(0))
  expect(curve.steps()).toEqual([at(0), at(1), at(2)])
  expect(new CurveFile(path, true).steps()).toEqual(curve.steps())
})

test('without resuming a curve starts anew, and one of no steps is empty', () => {
  expect(new CurveFile(path, true).steps()).toEqual([])
  new CurveFile(path, false).append(at(0))
  expect(new CurveFile(path, false).steps()).toEqual([])
})
