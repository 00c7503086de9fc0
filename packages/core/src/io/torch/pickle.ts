import { refuse } from '../refuse.ts'

/** A class or function of Python that a pickle names. */
export class Global {
  readonly name: string

  /** @param name `module.name` */
  constructor(name: string) {
    this.name = name
  }
}

/** What a pickle of data holds; dictionaries are maps, tuples are lists, and objects are of {@link Known}. */
export type Pickled = null | boolean | number | string | object

/** The classes and functions that a pickle may name, and what it means that one is called. Nothing of Python runs. */
export interface Known {
  /** @param name `module.name` */
  has(name: string): boolean
  /** @throws {CheckpointError} if the arguments are wrong */
  call(name: string, args: readonly Pickled[]): Pickled
  /** What an identifier stands for that leads out of the pickle. @throws {CheckpointError} if it is wrong */
  persistent(id: Pickled): Pickled
}

/**
 * The value of a pickle, of protocol 2 to 5, that holds data alone: numbers, texts, lists, tuples, dictionaries, and
 * what `known` knows. Whatever else it says is refused where it is said, before it could mean anything.
 * @param label how messages name it
 * @throws {CheckpointError} that names the opcode, class or function that is refused
 * Source: Python, Lib/pickletools.py.
 */
export function unpickle(label: string, bytes: Uint8Array<ArrayBuffer>, known: Known): Pickled {
  return new Machine(label, bytes, known).run()
}

const mark = Symbol('mark')

/** Opcodes by name, of those that are read here. */
const code = {
  PROTO: 0x80, FRAME: 0x95, STOP: 0x2e, MARK: 0x28, NONE: 0x4e, NEWTRUE: 0x88, NEWFALSE: 0x89,
  BININT: 0x4a, BININT1: 0x4b, BININT2: 0x4d, LONG1: 0x8a, BINFLOAT: 0x47, BINUNICODE: 0x58, SHORT_BINUNICODE: 0x8c,
  EMPTY_DICT: 0x7d, EMPTY_LIST: 0x5d, EMPTY_TUPLE: 0x29, TUPLE: 0x74, TUPLE1: 0x85, TUPLE2: 0x86, TUPLE3: 0x87,
  SETITEM: 0x73, SETITEMS: 0x75, APPEND: 0x61, APPENDS: 0x65, GLOBAL: 0x63, STACK_GLOBAL: 0x93, REDUCE: 0x52,
  BUILD: 0x62, BINPERSID: 0x51, BINPUT: 0x71, LONG_BINPUT: 0x72, MEMOIZE: 0x94, BINGET: 0x68, LONG_BINGET: 0x6a,
} as const

/** Opcodes that are refused, by the names that Python gives them. */
const refused: Readonly<Record<number, string>> = {
  0x42: 'BINBYTES', 0x43: 'SHORT_BINBYTES', 0x49: 'INT', 0x4c: 'LONG', 0x50: 'PERSID', 0x54: 'BINSTRING',
  0x55: 'SHORT_BINSTRING', 0x56: 'UNICODE', 0x69: 'INST', 0x6f: 'OBJ', 0x81: 'NEWOBJ', 0x82: 'EXT1', 0x83: 'EXT2',
  0x84: 'EXT4', 0x8b: 'LONG4', 0x8d: 'BINUNICODE8', 0x8e: 'BINBYTES8', 0x8f: 'EMPTY_SET', 0x90: 'ADDITEMS',
  0x91: 'FROZENSET', 0x92: 'NEWOBJ_EX', 0x96: 'BYTEARRAY8', 0x97: 'NEXT_BUFFER', 0x98: 'READONLY_BUFFER',
}

class Machine {
  readonly #label: string
  readonly #view: DataView<ArrayBuffer>
  readonly #known: Known
  readonly #stack: (Pickled | typeof mark)[] = []
  readonly #memo = new Map<number, Pickled>()
  #at = 0

  constructor(label: string, bytes: Uint8Array<ArrayBuffer>, known: Known) {
    this.#label = label
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#known = known
  }

  run(): Pickled {
    for (;;) {
      const opcode = this.#view.getUint8(this.#take(1))
      if (opcode === code.STOP) return this.#pop()
      this.#step(opcode)
    }
  }

  #step(opcode: number): void {
    const stack = this.#stack
    switch (opcode) {
      case code.PROTO: { this.#protocol(this.#byte()); break }
      case code.FRAME: { this.#take(8); break }
      case code.MARK: { stack.push(mark); break }
      case code.NONE: { stack.push(null); break }
      case code.NEWTRUE: { stack.push(true); break }
      case code.NEWFALSE: { stack.push(false); break }
      case code.BININT: { stack.push(this.#view.getInt32(this.#take(4), true)); break }
      case code.BININT1: { stack.push(this.#byte()); break }
      case code.BININT2: { stack.push(this.#view.getUint16(this.#take(2), true)); break }
      case code.LONG1: { stack.push(this.#long(this.#byte())); break }
      case code.BINFLOAT: { stack.push(this.#view.getFloat64(this.#take(8))); break }
      case code.BINUNICODE: { stack.push(this.#text(this.#word())); break }
      case code.SHORT_BINUNICODE: { stack.push(this.#text(this.#byte())); break }
      case code.EMPTY_DICT: { stack.push(new Map()); break }
      case code.EMPTY_LIST:
      case code.EMPTY_TUPLE: { stack.push([]); break }
      case code.TUPLE: { stack.push(this.#popMark()); break }
      case code.TUPLE1: { stack.push(this.#popMany(1)); break }
      case code.TUPLE2: { stack.push(this.#popMany(2)); break }
      case code.TUPLE3: { stack.push(this.#popMany(3)); break }
      case code.SETITEM: { this.#setItems(this.#popMany(2)); break }
      case code.SETITEMS: { this.#setItems(this.#popMark()); break }
      case code.APPEND: { this.#append(this.#popMany(1)); break }
      case code.APPENDS: { this.#append(this.#popMark()); break }
      case code.GLOBAL: { stack.push(this.#global(`${this.#line()}.${this.#line()}`)); break }
      case code.STACK_GLOBAL: { stack.push(this.#stackGlobal()); break }
      case code.REDUCE: { stack.push(this.#reduce()); break }
      case code.BUILD: { this.#build(); break }
      case code.BINPERSID: { stack.push(this.#known.persistent(this.#pop())); break }
      case code.BINPUT: { this.#memo.set(this.#byte(), this.#top()); break }
      case code.LONG_BINPUT: { this.#memo.set(this.#word(), this.#top()); break }
      case code.MEMOIZE: { this.#memo.set(this.#memo.size, this.#top()); break }
      case code.BINGET: { stack.push(this.#recall(this.#byte())); break }
      case code.LONG_BINGET: { stack.push(this.#recall(this.#word())); break }
      default: {
        const name = refused[opcode] ?? `0x${opcode.toString(16)}`
        this.#refuse('opcodes of data alone', `${name} at byte ${this.#at - 1}`)
      }
    }
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) this.#refuse('a pickle of protocol 2 to 5', `${version}`)
  }

  #global(name: string): Global {
    if (!this.#known.has(name)) {
      this.#refuse('tensors and plain data alone', `${JSON.stringify(name)}, which could do anything when it is loaded`)
    }
    return new Global(name)
  }

  #stackGlobal(): Global {
    const [module, name] = this.#popMany(2)
    if (typeof module !== 'string' || typeof name !== 'string') {
      return this.#refuse('the name of a class', 'something else')
    }
    return this.#global(`${module}.${name}`)
  }

  #reduce(): Pickled {
    const [callee, args] = this.#popMany(2)
    if (!(callee instanceof Global) || !Array.isArray(args)) {
      return this.#refuse('a function and its arguments', 'something else')
    }
    return this.#known.call(callee.name, args as Pickled[]) // what the stack held
  }

  /** Attributes of a dictionary, such as the versions of its modules, are left out; nothing else has any. */
  #build(): void {
    this.#pop()
    if (!(this.#top() instanceof Map)) this.#refuse('attributes of a dictionary', 'those of something else')
  }

  #setItems(items: readonly Pickled[]): void {
    const map = this.#top()
    if (!(map instanceof Map) || items.length % 2 !== 0) {
      return this.#refuse('entries of a dictionary', 'something else')
    }
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1])
    return undefined
  }

  #append(items: readonly Pickled[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) return this.#refuse('a list to append to', 'something else')
    for (const item of items) list.push(item)
    return undefined
  }

  #recall(key: number): Pickled {
    const value = this.#memo.get(key)
    return value === undefined ? this.#refuse(`a value remembered as ${key}`, 'none') : value
  }

  #top(): Pickled {
    const value = this.#stack.at(-1)
    if (value === undefined || value === mark) return this.#refuse('a value on the stack', 'none')
    return value as Pickled // no mark
  }

  #pop(): Pickled {
    const value = this.#top()
    this.#stack.pop()
    return value
  }

  #popMany(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.#pop()).toReversed()
  }

  #popMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(mark)
    if (at < 0) this.#refuse('a mark on the stack', 'none')
    const items = this.#stack.splice(at)
    return items.slice(1) as Pickled[] // after the last mark there is none
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1))
  }

  #word(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #long(bytes: number): number {
    const at = this.#take(bytes)
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(at + i))
    const number = Number(BigInt.asIntN(8 * bytes, value))
    return Number.isSafeInteger(number) ? number : this.#refuse('whole numbers below 2^53', `one of ${bytes} bytes`)
  }

  #text(bytes: number): string {
    const at = this.#take(bytes)
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, bytes))
  }

  #line(): string {
    const start = this.#at
    while (this.#byte() !== 0x0a);
    const bytes = this.#at - 1 - start
    this.#at = start
    const line = this.#text(bytes)
    this.#at += 1
    return line
  }

  /** Where so many bytes begin that are read now. */
  #take(bytes: number): number {
    const at = this.#at
    if (at + bytes > this.#view.byteLength) {
      this.#refuse('a pickle with its end', `${this.#view.byteLength} bytes without one`)
    }
    this.#at += bytes
    return at
  }

  #refuse(expected: string, got: string): never {
    const advice = 'convert it to safetensors with the program that wrote it, if you trust where it is from'
    return refuse(this.#label, expected, got, advice)
  }
}
