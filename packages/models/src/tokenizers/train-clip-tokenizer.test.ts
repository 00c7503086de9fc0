import { CheckpointError, ConfigError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { expect, test } from 'vitest'
import golden from './clip-bpe.golden.json' with { type: 'json' }
import { CLIPTokenizer, readClipTokenizer, tokenizerComponent, trainClipTokenizer } from './index.ts'
import { learnMerges } from './learn-merges.ts'

test.each(golden.runs)('merges, vocabulary and ids are those of BpeTrainer: $options', (run) => {
  const { options, tokens, merges, ids } = run
  const files = trainClipTokenizer(golden.captions, options)
  expect(files.merges.split('\n')).toEqual(['#version: 0.2', ...merges, ''])
  expect(files.vocab).toEqual(Object.fromEntries(tokens.map((token, id) => [token, id])))
  const tokenizer = CLIPTokenizer.from(files)
  expect(golden.texts.map((text) => tokenizer.encode(text))).toEqual(ids)
})

test('the order of texts does not matter, and any iterable will do', () => {
  const options = { vocabularySize: 700 }
  const shuffled = rng(3).shuffle([...golden.captions])
  expect(trainClipTokenizer(new Set(shuffled).values(), options)).toEqual(trainClipTokenizer(golden.captions, options))
})

test('prompts are padded by their end to the length that was asked for', () => {
  const tokenizer = CLIPTokenizer.from(trainClipTokenizer(['a red square'], { vocabularySize: 514, maxLength: 8 }))
  expect(tokenizer).toMatchObject({ bos: 512, eos: 513, pad: 513, maxLength: 8 })
  const a = 'a'.charCodeAt(0) - 33 + 256
  expect(tokenizer.padded('a')).toEqual({ ids: [512, a, ...new Array<number>(6).fill(513)], truncated: false })
})

test('without texts there are the tokens of bytes, which spell everything', () => {
  const files = trainClipTokenizer([], { vocabularySize: 2000 })
  expect([Object.keys(files.vocab).length, files.merges]).toEqual([514, '#version: 0.2\n'])
  expect(CLIPTokenizer.from(files).encode('é火')).toHaveLength(5)
})

/** What {@link learnMerges} does, by counting everything again for each merge. */
function bySearch(alphabet: readonly string[], words: readonly (readonly number[])[], size: number): string[] {
  const tokens = [...alphabet]
  let now = words
  const merges: string[] = []
  while (tokens.length < size) {
    const counts = new Map<string, number>()
    for (const ids of now) for (let i = 1; i < ids.length; i++) {
      const pair = `${ids[i - 1]} ${ids[i]}`
      counts.set(pair, (counts.get(pair) ?? 0) + 1)
    }
    const pairs = [...counts].map(([pair, count]) => [count, ...pair.split(' ').map(Number)] as [number, number, number])
    const [best] = pairs.toSorted((x, y) => y[0] - x[0] || x[1] - y[1] || x[2] - y[2])
    if (!best || best[0] < 2) break
    const [, a, b] = best
    const text = tokens[a]! + tokens[b]!
    merges.push(`${tokens[a]} ${tokens[b]}`)
    const id = tokens.includes(text) ? tokens.indexOf(text) : tokens.push(text) - 1
    now = now.map((ids) => ids.reduce<number[]>((made, next) => {
      if (next === b && made.at(-1) === a) return [...made.slice(0, -1), id]
      return [...made, next]
    }, []))
  }
  return merges
}

test('counts that are kept up to date give the merges that counting anew does, in words full of repetitions', () => {
  const random = rng(5)
  for (let run = 0; run < 40; run++) {
    const letters = 2 + random.int(3)
    const alphabet = Array.from({ length: letters }, (_, i) => String.fromCharCode(97 + i))
    const words = Array.from({ length: 30 }, () => Array.from({ length: 1 + random.int(12) }, () => random.int(letters)))
    const size = letters + 5 + random.int(60)
    const { merges } = learnMerges(alphabet, words.map((ids) => ({ ids, count: 1 })), { size, minFrequency: 2 })
    expect(merges.map((pair) => pair.join(' '))).toEqual(bySearch(alphabet, words, size))
  }
})

test.each<[string, Parameters<typeof trainClipTokenizer>]>([
  ['expected vocabularySize to be a whole number in [514, 67108864], got 513', [[], { vocabularySize: 513 }]],
  ['expected minFrequency to be a whole number of 1 or more, got 0', [[], { vocabularySize: 600, minFrequency: 0 }]],
  ["expected a list of texts, got 'a cat'; put it into a list", ['a cat', { vocabularySize: 600 }]],
  ['expected texts, got undefined among them', [[undefined as never], { vocabularySize: 600 }]],
])('%s', (message, [texts, options]) => {
  expect(() => trainClipTokenizer(texts, options)).toThrow(ConfigError)
  expect(() => trainClipTokenizer(texts, options)).toThrow(message)
})

test('as a component it gives back the files that it was made of, and has no weights', async () => {
  const files = trainClipTokenizer(golden.captions, { vocabularySize: 600 })
  const component = tokenizerComponent(files)
  expect([component.className, component.config]).toEqual(['CLIPTokenizer', files.config])
  const again = await readClipTokenizer(component)
  for (const text of golden.texts) expect(again.padded(text)).toEqual(CLIPTokenizer.from(files).padded(text))
  expect(await component.text('tokenizer.json')).toBeUndefined()
  await expect(component.weights()).rejects.toThrow(CheckpointError)
  expect(() => tokenizerComponent({ ...files, config: '{}' })).toThrow('expected tokenizer_config.json to hold an object')
})
