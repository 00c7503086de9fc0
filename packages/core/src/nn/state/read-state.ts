import { type DType, sameShape, shapeText, type Spec } from '@antipode/kernels-wgsl'
import { CheckpointError } from '../../errors.ts'
import type { Tensor, Backend } from '../../graph/index.ts'
import type { StateSource } from './state-source.ts'

/** Which names of a source are wanted, and in which element type each. */
export type Wanted = ReadonlyMap<string, DType>

/** Tensors of more numbers than this are large: they take memory on their way, so few are under way together. */
const large = 2 ** 20
/** How many are read at once, and how many of them may be large: the bytes of one come while another is brought on. */
const [atOnce, largeAtOnce] = [6, 2]

/**
 * Reads tensors, a few at once, in the order of the source: disks and servers give files fastest from their start to
 * their end. Where one cannot be read, all others are freed. @throws {CheckpointError} as reading does
 */
export async function readAll(source: StateSource, wanted: Wanted, device: Backend): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor | undefined>([...wanted.keys()].map((name) => [name, undefined]))
  const places = new Map(Array.from(source.names(), (name, i) => [name, i]))
  const placeOf = (name: string): number => places.get(name) ?? places.size
  const queue = [...wanted].sort(([a], [b]) => placeOf(a) - placeOf(b)).values()
  const gate = new Gate(largeAtOnce)
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const [name, dtype] = next.value
      const isLarge = (source.info(name)?.shape.reduce((n, size) => n * size, 1) ?? 0) > large
      if (isLarge) await gate.enter()
      try {
        if (failures.length > 0) return
        tensors.set(name, await source.read(name, device, dtype))
      } catch (error) {
        failures.push(error)
      } finally {
        if (isLarge) gate.leave()
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  if (failures.length === 0) return tensors as Map<string, Tensor> // all of them are there
  for (const t of tensors.values()) t?.dispose()
  throw failures[0]
}

/** Lets so many in at once; the others wait in line. */
class Gate {
  #free: number
  readonly #line: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => { this.#line.push(resolve) })
  }

  leave(): void {
    const next = this.#line.shift()
    if (next) next()
    else this.#free++
  }
}

/** Of a list of names that may be long, as many as a message holds. */
export function some(names: readonly string[]): string {
  return names.slice(0, 8).join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '')
}

/**
 * Holds parameters to a source before anything is read.
 * @param strict whether names that are missing or unexpected are errors; shapes and element types always are, and so is
 * a source none of whose names is a parameter's
 * @throws {CheckpointError} that lists the names in question
 */
export function checkFit(parameters: ReadonlyMap<string, Spec>, source: StateSource, strict: boolean): void {
  const given = new Set(source.names())
  const missing = [...parameters.keys()].filter((name) => !given.has(name))
  const unexpected = [...given].filter((name) => !parameters.has(name))
  const misfits: string[] = []
  const odd: string[] = []
  for (const [name, { shape, dtype }] of parameters) {
    const info = source.info(name)
    if (!info) continue
    const misfit = (expected: string, got: string): string => `${name} (expected ${expected}, got ${got})`
    if (!sameShape(info.shape, shape)) misfits.push(misfit(shapeText(shape), shapeText(info.shape)))
    if (!info.reads.includes(dtype)) odd.push(misfit(storedAs(dtype), info.dtype))
  }
  const nothing = parameters.size > 0 && missing.length === parameters.size
  if (misfits.length + odd.length === 0 && !nothing && !(strict && missing.length + unexpected.length > 0)) return
  const lists = Object.entries({ missing, unexpected, 'of another shape': misfits, 'of another dtype': odd })
  const parts = lists.filter(([, names]) => names.length > 0)
    .map(([title, names]) => `${names.length} ${title}: ${some(names)}`)
  throw new CheckpointError(`load: the checkpoint does not fit this model; ${parts.join('; ')}`)
}

/** What a file has for a parameter of an element type. */
function storedAs(dtype: DType): string {
  return dtype === 'i32' || dtype === 'u32' ? dtype.toUpperCase() : 'F32, F16 or BF16'
}
