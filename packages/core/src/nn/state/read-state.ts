import { type DType, sameShape, shapeText, type Spec } from '@antipode/kernels-wgsl'
import { CheckpointError } from '../../errors.ts'
import type { Tensor, Backend } from '../../graph/index.ts'
import type { StateSource } from './state-source.ts'

/** Which names of a source are wanted, and in which element type each. */
export type Wanted = ReadonlyMap<string, DType>

/** Tensors of more numbers than this are large: of the others, many are read for one of these. */
const large = 2 ** 20
/** How many are read at once: the bytes of one come while another is brought to the device. */
const [largeAtOnce, smallAtOnce] = [2, 6]

/**
 * Reads tensors, a few at once. Where one cannot be read, all others are freed. @throws {CheckpointError} as reading
 * does
 */
export async function readAll(source: StateSource, wanted: Wanted, device: Backend): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor | undefined>([...wanted.keys()].map((name) => [name, undefined]))
  const isLarge = (name: string): boolean => (source.info(name)?.shape.reduce((n, size) => n * size, 1) ?? 0) > large
  const failures: unknown[] = []
  const lane = async (names: Iterator<[name: string, dtype: DType]>): Promise<void> => {
    for (let next = names.next(); !next.done && failures.length === 0; next = names.next()) {
      const [name, dtype] = next.value
      try {
        tensors.set(name, await source.read(name, device, dtype))
      } catch (error) {
        failures.push(error)
      }
    }
  }
  const lanes = (ofLarge: boolean, count: number): Promise<void>[] => {
    const names = [...wanted].filter(([name]) => isLarge(name) === ofLarge).values()
    return Array.from({ length: count }, () => lane(names))
  }
  await Promise.all([...lanes(true, largeAtOnce), ...lanes(false, smallAtOnce)])
  if (failures.length === 0) return tensors as Map<string, Tensor> // all of them are there
  for (const t of tensors.values()) t?.dispose()
  throw failures[0]
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
