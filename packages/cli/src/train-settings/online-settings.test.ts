import { expect, test } from 'vitest'
import { UsageError } from '../usage-error.ts'
import { hasSetting, onlineName, resolveOnline } from './index.ts'

test('a method has the numbers of its source, and on digits those of minutes', () => {
  const prompts = ['a cat']
  const reward = { reward: 'compressibility' } as const
  expect(resolveOnline({ method: 'ddpo', model: 'sd', prompts, reward })).toMatchObject({ learningRate: 3e-4, runSteps: 50, scale: 5, dtype: 'f16' })
  expect(resolveOnline({ method: 'ddpo', model: 'digits-16' })).toMatchObject({ learningRate: 1e-3, runSteps: 10, scale: 1, dtype: 'f32', batch: 16 })
  expect(resolveOnline({ method: 'draft', model: 'digits-16', runSteps: 5, graded: 5 })).toMatchObject({ graded: 5 })
  expect(resolveOnline({ method: 'self-npo', model: 'sd', prompts })).not.toHaveProperty('reward')
})

test.each<[object, RegExp]>([
  [{ method: 'draft', model: 'sd' }, /train draft: expected prompts, got none; pass --prompt/],
  [{ method: 'draft', model: 'sd', prompts: ['a'] }, /expected a reward, got none; pass --reward/],
  [{ method: 'draft', model: 'sd', prompts: ['a'], reward: { reward: 'hps' } }, /train draft: expected files/],
  [{ method: 'draft', model: 'digits-16', prompts: ['a'] }, /expected prompts left out, got it with the model digits-16/],
  [{ method: 'draft', model: 'digits-16', reward: { reward: 'compressibility' } }, /expected reward left out, got it with the model digits-16/],
  [{ method: 'draft', model: 'digits-16', beta: 3 }, /expected beta left out, got it with the method draft/],
  [{ method: 'draft', model: 'digits-16', graded: 11 }, /expected graded of at most 10, the calls of a run, got 11/],
  [{ method: 'draft', model: 'digits-16', steps: 0 }, /expected steps/],
  [{ method: 'self-npo', model: 'digits-16', negated: true }, /expected negated left out, got it with the method self-npo/],
])('settings that do not go together are refused: %o', (given, message) => {
  const error = (() => { try { return resolveOnline(given as never) } catch (e) { return e } })()
  expect(error).toBeInstanceOf(UsageError)
  expect((error as Error).message).toMatch(message)
})

test('only methods by the gradient of a reward end when it falls, and a negated method has a name of its own', () => {
  expect(['draft', 'ddpo', 'self-npo'].map((method) => hasSetting(method as never, 'stopReward'))).toEqual([true, false, false])
  expect([onlineName({ method: 'spo', negated: false }), onlineName({ method: 'spo', negated: true })]).toEqual(['spo', 'negated-spo'])
})
