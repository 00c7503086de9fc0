import { fileURLToPath } from 'node:url'
import { FakeHost } from '@antipode/core/testing'
import { beforeAll, expect, test, vi } from 'vitest'
import { loadPipeline } from '../components/index.ts'

type Pipe = Awaited<ReturnType<typeof loadPipeline>>

const path = (name: string): string => fileURLToPath(new URL(`../../test/${name}`, import.meta.url))
let pipe: Pipe

beforeAll(async () => {
  pipe = await loadPipeline(new FakeHost(), path('sd'), { dtype: 'f32' })
  await pipe.adapters.load('dpo', path('adapters/dpo.safetensors'))
})

const pixels = [{ data: new Uint8Array(192), width: 8, height: 8 }]

test.each<[object, string]>([
  [{ promt: 'x' }, 'got promt; remove or rename it: did you mean prompt?'],
  [{ negative_prompt: 'x' }, 'got negative_prompt; remove or rename it: did you mean negativePrompt?'],
  [{ num_inference_steps: 2 }, 'got num_inference_steps; remove or rename it: did you mean steps?'],
  [{ steps: 0 }, 'expected steps to be a whole number of 1 or more or a request for steps, got 0'],
  [{ steps: 2000 }, 'expected 1 to 1000 steps, got 2000'],
  [{ width: 17 }, 'expected width to be a multiple of 8, got 17; ask for 16'],
  [{ seed: -1 }, 'expected seed to be a whole number in [0, 2^53)'],
  [{ seed: 2 ** 53 }, 'expected seed to be a whole number in [0, 2^53)'],
  [{ positive: 'dpo' }, "expected positive to be weights of adapters by their names, got 'dpo'"],
  [{ positive: { dop: 1 } }, 'expected adapters of the pipeline (dpo), got "dop"; load it first'],
  [{ negative: { dpo: Number.NaN } }, 'expected the weight of "dpo" to be a finite number, got NaN'],
  [{ image: pixels, strength: 0.01, steps: 4, height: 16, width: 16 }, 'expected strength to leave one of 4 steps, got 0.01'],
])('%j is refused before anything is computed, at the line of the call', async (options, message) => {
  const error: Error = await pipe({ prompt: 'the cat', ...options } as never).then(() => expect.unreachable(), (e: Error) => e)
  expect(error.message).toContain(message)
  expect(error.name).toMatch(/^(Config|Scheduler)Error$/)
  // Schedulers are asked from too far inside for a stack of ten frames.
  if (error.name === 'ConfigError') expect(error.stack).toContain('first-errors.test')
})

test('what is no device, no option of loading or no file is refused by name', async () => {
  const message = async (work: () => Promise<unknown>): Promise<string> => work().then(() => 'none', (e: Error) => `${e.name}: ${e.message}`)
  expect(await message(() => loadPipeline(Promise.resolve() as never, path('sd')))).toBe(
    'ConfigError: loadPipeline: expected device to be a Device, as await Device.request() gives it, got a Promise',
  )
  expect(await message(() => loadPipeline(new FakeHost(), path('sd'), { torch_dtype: 'f16' } as never))).toMatch(/dtype, budget, .* did you mean dtype\?$/)
  expect(await message(() => (pipe.adapters.load as (file: string) => Promise<void>)('dpo.safetensors'))).toBe(
    'ConfigError: adapters.load: expected source to be the file of an adapter, after its name, got undefined',
  )
})

test('a prompt that is cut is told of, once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  for (let k = 0; k < 2; k++) pipe.plan({ prompt: 'the cat '.repeat(50) })
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/a prompt has 100 tokens, of which 75 are read.*promptSyntax: 'weighted'/)]])
  warn.mockRestore()
})

test('a pipeline that was disposed says so, rather than that a tensor was', async () => {
  const gone = await loadPipeline(new FakeHost(), path('sd'), { dtype: 'f32' })
  gone[Symbol.dispose]()
  const call = { prompt: 'the cat', steps: 1 }
  const text = 'StableDiffusion: expected a pipeline that is there, got one that was disposed'
  await expect(gone(call)).rejects.toThrow(text)
  await expect(gone.stream(call).next()).rejects.toThrow(text)
  expect(() => gone.plan(call)).toThrow(text)
})
