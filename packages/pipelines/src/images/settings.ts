import type { PngText } from './png-text.ts'

/** What an image was drawn by, as far as it is known. Whatever JSON holds can be among it. */
export interface ImageSettings {
  readonly prompt?: string
  readonly negativePrompt?: string
  readonly steps?: number
  readonly scheduler?: string
  readonly guidanceScale?: number
  readonly seed?: number
  readonly width?: number
  readonly height?: number
  readonly model?: string
  readonly clipSkip?: number
  /** How far image to image goes from the image it began with, in [0, 1]. */
  readonly strength?: number
  readonly [name: string]: unknown
}

/** Under which keywords files have settings: as other programs show them, and in full. */
const [shown, whole] = ['parameters', 'antipode']

const negativeWord = 'Negative prompt:'

/** What the programs of the field call settings, in their order, and how they are read. */
const words = [
  ['steps', 'Steps', Number], ['scheduler', 'Sampler', String], ['guidanceScale', 'CFG scale', Number],
  ['seed', 'Seed', Number], ['model', 'Model', String], ['strength', 'Denoising strength', Number],
  ['clipSkip', 'Clip skip', Number],
] as const

/**
 * Settings as texts of a PNG file: under `parameters` as A1111's web UI and the sites of the field read them, and under
 * `antipode` as JSON, in which nothing is lost.
 */
export function settingsText(settings: ImageSettings): PngText {
  return { [shown]: parameters(settings), [whole]: JSON.stringify(settings) }
}

/** Settings of a file by its texts: its own JSON, or else what others wrote under `parameters`; undefined if none. */
export function settingsOf(text: PngText): ImageSettings | undefined {
  const json = text[whole]
  if (json !== undefined) {
    try {
      const settings: unknown = JSON.parse(json)
      if (typeof settings === 'object' && settings !== null) return settings as ImageSettings // an object
    } catch {
      // Another program's text by the same keyword.
    }
  }
  const written = text[shown]
  return written === undefined ? undefined : parsed(written)
}

/** Prompt, negative prompt and a line of settings. Source: AUTOMATIC1111 `create_infotext`. */
function parameters({ prompt = '', negativePrompt, width, height, ...settings }: ImageSettings): string {
  const list = words.flatMap(([name, word]) => {
    const value: unknown = settings[name]
    return typeof value === 'string' || typeof value === 'number' ? [`${word}: ${quoted(`${value}`)}`] : []
  })
  if (width !== undefined && height !== undefined) list.push(`Size: ${width}x${height}`)
  return [prompt, ...(negativePrompt ? [`${negativeWord} ${negativePrompt}`] : []), list.join(', ')].join('\n')
}

/** As the list can hold it: JSON where a comma, a colon or a line break would end it. */
function quoted(value: string): string {
  return /[,:\n]/.test(value) ? JSON.stringify(value) : value
}

function parsed(text: string): ImageSettings {
  const lines = text.trim().split('\n')
  const last = lines.at(-1) ?? ''
  const list = /^\s*\w[\w \-/]*: /.test(last) && !last.startsWith(negativeWord) ? lines.pop() ?? '' : ''
  const found = new Map(Array.from(
    list.matchAll(/\s*(\w[\w \-/]*):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g),
    ([, word = '', value = '']) => [word, unquoted(value)],
  ))
  const start = lines.findIndex((line) => line.startsWith(negativeWord))
  const negative = start < 0 ? [] : lines.splice(start)
  const [, width, height] = /^(\d+)x(\d+)$/.exec(found.get('Size') ?? '') ?? []
  const known = words.flatMap(([name, word, read]) => {
    const value = found.get(word)
    return value === undefined ? [] : [[name, read(value)] as const]
  })
  return {
    prompt: lines.join('\n'),
    ...(negative.length > 0 ? { negativePrompt: negative.join('\n').slice(negativeWord.length).trim() } : {}),
    ...Object.fromEntries(known),
    ...(width && height ? { width: Number(width), height: Number(height) } : {}),
  }
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value.trim()
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}
