import { expect, test, vi } from 'vitest'
import type { Commands } from './commands.ts'
import { done, FakeProcess } from './testing/index.ts'

test('images are drawn by defaults, and adapters have weights behind an @', async () => {
  const generate = vi.fn<Commands['generate']>().mockResolvedValue(done)
  await new FakeProcess().run('generate --model m --prompt cat', { generate })
  expect(generate.mock.calls[0]?.[0]).toEqual({
    model: 'm', prompts: ['cat'], adapters: [], negativeAdapters: [], textualInversions: [], count: 1, seed: 0, steps: 25, out: 'runs/images',
    signal: expect.any(AbortSignal), progress: expect.anything(),
  })
  await new FakeProcess().run(
    'generate -m m -p cat dog -n blur -a dpo.safetensors@0.5 -a b.pt --negative-adapter npo.safetensors@-1 -c 4 --seed 7 -s 9 -g 3.5 --rescale 0.7 ' +
    '--prompt-syntax weighted --scheduler euler --width 512 --height 768 --clip-skip 1 -i in.png --mask mask.png --strength 0.4 --variant fp16 --dtype f32 -o there ' +
    '--tokenizer t --prediction-type v_prediction --preview --preview-decoder taesd --mask-padding 32 --textual-inversion <toy>=a.pt --textual-inversion ./b=c.pt ' +
    '--guider tcfg,seg:2.5 --budget 1.5GiB --ip-adapter ip.safetensors --image-encoder clip --image-prompt cat.png@0.6', { generate },
  )
  expect(generate.mock.calls[1]?.[0]).toMatchObject({
    prompts: ['cat', 'dog'], negativePrompt: 'blur', promptSyntax: 'weighted', adapters: [{ file: 'dpo.safetensors', weight: 0.5 }, { file: 'b.pt', weight: 1 }],
    negativeAdapters: [{ file: 'npo.safetensors', weight: -1 }], count: 4, seed: 7, steps: 9, guidance: 3.5, rescale: 0.7, scheduler: 'euler',
    width: 512, height: 768, clipSkip: 1, image: 'in.png', mask: 'mask.png', strength: 0.4, variant: 'fp16', dtype: 'f32', out: 'there',
    tokenizer: 't', predictionType: 'v_prediction', preview: true, previewDecoder: 'taesd', maskPadding: 32, budget: 1.5 * 2 ** 30, ipAdapter: 'ip.safetensors', imageEncoder: 'clip', imagePrompt: { file: 'cat.png', weight: 0.6 },
    guider: { guider: 'tcfg', perturbation: { kind: 'seg', scale: 2.5 } },
    textualInversions: [{ token: '<toy>', file: 'a.pt' }, { file: './b=c.pt' }],
  })
})

test('a reconstruction gets its defaults', async () => {
  const reconstruct = vi.fn<Commands['reconstruct']>().mockResolvedValue(done)
  await new FakeProcess().run('reconstruct a.png -m taef2', { reconstruct })
  expect(reconstruct.mock.calls[0]?.[0]).toEqual({
    image: 'a.png', model: 'taef2', dtype: 'f32', out: 'runs/reconstructed.png', signal: expect.any(AbortSignal), progress: expect.anything(),
  })
})

test('a conversion gets its places, and replaces nothing unless it is told to', async () => {
  const convert = vi.fn<Commands['convert']>().mockResolvedValue(done)
  await new FakeProcess().run('convert a.ckpt b', { convert })
  await new FakeProcess().run('convert a b.safetensors --dtype bf16 --format kohya -m sd15 --variant fp16 --tokenizer t --prediction-type epsilon -f', { convert })
  const [plain, all] = convert.mock.calls.map(([options]) => options)
  expect(plain).toEqual({ source: 'a.ckpt', target: 'b', force: false, signal: expect.any(AbortSignal), progress: expect.anything() })
  expect(all).toMatchObject({
    source: 'a', target: 'b.safetensors', force: true, dtype: 'bf16', format: 'kohya', model: 'sd15', variant: 'fp16', tokenizer: 't', predictionType: 'epsilon',
  })
})

test.each([
  ['convert a', 'missing required argument'], ['convert a b --dtype q8', 'dtype'],
  ['generate -m m --promt cat', 'Did you mean --prompt?'], ['reconstruct a.png', 'model'],
  ['generate --prompt cat', 'model'], ['generate --model m', 'prompt'], ['generate -m m -p c -g 0.5', 'guidance'], ['generate -m m -p c --strength 2', 'strength'],
  ['generate -m m -p c -a x@heavy', 'adapter'], ['generate -m m -p c --budget much', 'budget'],
  ['generate -m m -p c --image-prompt cat.png', '--ip-adapter'], ['generate -m m -p c --ip-adapter a --image-prompt b', '--image-encoder'],
])('%s is refused', async (argv, text) => {
  const at = new FakeProcess()
  expect(await at.run(argv)).toBe(2)
  expect(at.err).toContain(text)
})
