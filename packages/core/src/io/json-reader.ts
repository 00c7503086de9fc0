/** Lists and objects nest this deep in the reference implementation (serde_json), and no deeper. */
const MAX_DEPTH = 127

/** The text is no JSON, or is JSON that two readers could understand differently. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}

/**
 * Reads JSON as the caller expects it, token by token, without building what nobody asked for. Unlike `JSON.parse` it sees
 * how a number is written and refuses what readers disagree on: a key twice in one object, half a surrogate pair, a number
 * that no float holds, and deep nesting.
 */
export class JsonReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The first characters of the value ahead, for messages. */
  get ahead(): string {
    this.#space()
    const text = this.#text.slice(this.#at, this.#at + 81)
    return text.length > 80 ? `${text.slice(0, 77)}...` : text
  }

  /** What kind of value is ahead. */
  get kind(): 'object' | 'list' | 'string' | 'scalar' {
    this.#space()
    const character = this.#text[this.#at]
    if (character === '{') return 'object'
    if (character === '[') return 'list'
    if (character === '"') return 'string'
    this.#scalar()
    return 'scalar'
  }

  /** Reads an object: `field` is called after each key, in order, and must read its value. */
  object(field: (key: string) => void): void {
    const keys = new Set<string>()
    this.#items('{', '}', () => {
      const key = this.string()
      if (keys.has(key)) throw new JsonError(`the key ${JSON.stringify(key)} twice`)
      keys.add(key)
      this.#expect(':')
      field(key)
    })
  }

  /** Reads a list: `item` is called at each element, and must read it. */
  list(item: () => void): void {
    this.#items('[', ']', item)
  }

  string(): string {
    this.#expect('"')
    const start = this.#at
    let escaped = false
    for (let code = this.#text.charCodeAt(this.#at); code !== 0x22; code = this.#text.charCodeAt(++this.#at)) {
      // Past the end the code is NaN.
      if (!(code >= 0x20)) this.#fail('a closing quote and no control characters')
      if (code === 0x5c) {
        escaped = true
        this.#at++
      }
    }
    this.#at++
    const raw = this.#text.slice(start, this.#at - 1)
    if (!escaped) return raw
    const text = unescaped(raw)
    if (text === undefined) this.#fail('escapes that JSON has')
    if (/\p{Surrogate}/u.test(text)) throw new JsonError('half a surrogate pair')
    return text
  }

  /** Reads a whole number of at most 2^53 − 1 written in digits alone, or gives undefined and reads nothing. */
  whole(): number | undefined {
    this.#space()
    const number = this.#number()
    if (number === undefined || !/^\d+$/.test(number) || !Number.isSafeInteger(Number(number))) return undefined
    this.#at += number.length
    return Number(number)
  }

  /** Reads any value and forgets it. */
  skip(): void {
    const { kind } = this
    if (kind === 'object') this.object(() => { this.skip() })
    else if (kind === 'list') this.list(() => { this.skip() })
    else if (kind === 'string') this.string()
    else this.#at += this.#scalar().length
  }

  /** Nothing but white space is left. */
  end(): void {
    this.#space()
    if (this.#at < this.#text.length) this.#fail('the end')
  }

  #items(open: '{' | '[', close: '}' | ']', item: () => void): void {
    this.#expect(open)
    if (++this.#depth > MAX_DEPTH) throw new JsonError(`more than ${MAX_DEPTH} levels`)
    this.#space()
    if (this.#text[this.#at] === close) this.#at++
    else {
      do item()
      while (this.#took(','))
      this.#expect(close)
    }
    this.#depth--
  }

  #scalar(): string {
    const word = ['true', 'false', 'null'].find((known) => this.#text.startsWith(known, this.#at))
    if (word !== undefined) return word
    const number = this.#number() ?? this.#fail('a value')
    if (!Number.isFinite(Number(number))) throw new JsonError('a number that no float holds')
    return number
  }

  #number(): string | undefined {
    const grammar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
    grammar.lastIndex = this.#at
    return grammar.exec(this.#text)?.[0]
  }

  #expect(character: string): void {
    if (!this.#took(character)) this.#fail(`'${character}'`)
  }

  #took(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #space(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? '.')) this.#at++
  }

  #fail(expected: string): never {
    throw new JsonError(`${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))} instead of ${expected} at character ${this.#at}`)
  }
}

function unescaped(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string // a JSON string token
  } catch {
    return undefined
  }
}
