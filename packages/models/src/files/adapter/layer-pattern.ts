/** One character of a pattern: what it may be, whether it may be missing, and whether more of it may follow. */
interface Atom {
  readonly accepts: (character: string) => boolean
  readonly optional: boolean
  readonly repeats: boolean
}

type Sequence = readonly Atom[]

/** A layer's name written as a pattern that only it matches. */
export function patternOf(layer: string): string {
  return `^${endPattern(layer)}`
}

/** The last parts of a layer's name written as a pattern. */
export function endPattern(end: string): string {
  return end.replaceAll('.', '\\.')
}

/**
 * What a key of `rank_pattern` or `alpha_pattern` matches: PEFT asks Python for `re.match(rf"(.*\.)?({key})$", layer)`, so a
 * key fits a whole name or its last parts. Adapters come from strangers, and an engine that backtracks can be kept busy for
 * hours by a text of twenty characters; this one takes time in proportion to name and key. It knows the part of Python's
 * language that such keys are written in: letters, `.`, `\.`, `\d`, `\w`, `[…]`, each with `*`, `+` or `?`; `(a|b)`; `^` at the
 * start and `$` at the end. Source: peft 0.21.2, `utils/other.py` (get_pattern_key).
 *
 * @returns undefined if the key is written in anything else
 */
export function layerPattern(key: string): ((layer: string) => boolean) | undefined {
  const whole = key.startsWith('^')
  if (key.length > maxLength) return undefined
  const sequences = parse(key.slice(whole ? 1 : 0).replace(/(?<!\\)\$$/, ''))
  // Python would bind ^ to the first alternative alone.
  if (!sequences || whole && sequences.length > 1) return undefined
  return (layer) => sequences.some((sequence) => matches(sequence, layer, whole))
}

/** Longer keys, and more alternatives, are no list of layers. */
const maxLength = 500
const maxSequences = 64

/** A pattern as the sequences that it stands for, groups multiplied out. */
function parse(pattern: string): readonly Sequence[] | undefined {
  const tokens = [...pattern.matchAll(/\\[.\-dw]|\[\^?[\w.-]+\]|[\w.-]|[()|*+?]|[^]/gu)].map(([token]) => token)
  let at = 0
  const alternatives = (): Sequence[] | undefined => {
    const done: Sequence[] = []
    let open: Sequence[] = [[]]
    for (; at < tokens.length && tokens[at] !== ')'; at++) {
      const token = tokens[at] as string
      if (token === '|') {
        done.push(...open)
        open = [[]]
        continue
      }
      let pieces: Sequence[] | undefined
      if (token === '(') {
        at++
        pieces = alternatives()
        if (tokens[at] !== ')' || /^[*+?]$/.test(tokens[at + 1] ?? '')) return undefined
      } else if (/^(\\[.\-dw]|\[.+\]|[\w.-])$/u.test(token)) {
        const one = characterTest(token)
        const times = /^[*+?]$/.test(tokens[at + 1] ?? '') ? tokens[++at] : ''
        if (!one) return undefined
        pieces = [[{ accepts: (c) => one.test(c), optional: times === '*' || times === '?', repeats: times === '*' || times === '+' }]]
      }
      if (!pieces) return undefined
      open = open.flatMap((start) => (pieces as Sequence[]).map((piece) => [...start, ...piece]))
      if (open.length + done.length > maxSequences) return undefined
    }
    return [...done, ...open]
  }
  const all = alternatives()
  return at === tokens.length ? all : undefined
}

/** One escape, class or letter as an expression of one character; undefined for a class that runs backwards. */
function characterTest(token: string): RegExp | undefined {
  try {
    return new RegExp(`^${token}$`)
  } catch {
    return undefined
  }
}

/**
 * Whether a sequence is the whole text, or else its end behind a dot: the set of places in the sequence that can be reached,
 * one character after the other.
 */
function matches(sequence: Sequence, text: string, whole: boolean): boolean {
  let places = new Set<number>()
  const reach = (place: number, into: Set<number>): void => {
    for (let at = place; !into.has(at); at++) {
      into.add(at)
      if (!sequence[at]?.optional) return
    }
  }
  reach(0, places)
  for (const character of text) {
    const next = new Set<number>()
    for (const place of places) {
      const atom = sequence[place]
      if (!atom?.accepts(character)) continue
      reach(place + 1, next)
      if (atom.repeats) reach(place, next)
    }
    if (!whole && character === '.') reach(0, next)
    places = next
  }
  return places.has(sequence.length)
}
