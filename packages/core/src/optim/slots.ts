import { sameShape, shapeText } from '@antipode/kernels-wgsl'
import { CheckpointError, ShapeError } from '../errors.ts'
import { tensor, type Tensor } from '../graph/index.ts'
import { joined } from './groups.ts'

/** What an optimiser remembers: enough to continue bit for bit. */
export interface OptimizerState {
  /** Updates made so far. */
  readonly step: number
  /** f32 tensors named `<parameter>.<slot>`; they belong to the optimiser. */
  readonly tensors: ReadonlyMap<string, Tensor>
}

/** Gradients in the order of the parameters, or by their names. */
export type Gradients = readonly Tensor[] | ReadonlyMap<string, Tensor>

/** f32 tensors of the parameters' shapes that live beside them, such as moments; zero at first. */
export class Slots {
  readonly #names: readonly string[]
  readonly #tensors = new Map<string, Tensor>()

  constructor(names: readonly string[]) {
    this.#names = names
  }

  /** The slots of one parameter, made at its first update. */
  of(name: string, { device, shape, size }: Tensor): Tensor[] {
    return this.#names.map((slot) => {
      const key = `${name}.${slot}`
      const made = this.#tensors.get(key) ?? tensor(device, new Float32Array(size), shape)
      this.#tensors.set(key, made)
      return made
    })
  }

  /** The slots of a group of parameters, each joined over the group. */
  joined(group: readonly (readonly [name: string, like: Tensor, ...unknown[]])[]): Tensor[] {
    const each = group.map(([name, like]) => this.of(name, like))
    return this.#names.map((_, k) => joined(each.map((slots) => slots[k] as Tensor)))
  }

  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#tensors
  }

  /**
   * Takes over a state's tensors and gives its step, after checking that each is f32 and named for a slot.
   * @throws {CheckpointError} if one is not, or the step is no count
   */
  load({ step, tensors }: OptimizerState): number {
    if (!(Number.isSafeInteger(step) && step >= 0)) throw new CheckpointError(`load: expected a whole step of 0 or more, got ${step}`)
    for (const [name, t] of tensors) {
      if (t.dtype !== 'f32' || !this.#names.some((slot) => name.endsWith(`.${slot}`))) {
        throw new CheckpointError(`load: expected f32 tensors named <parameter>.${this.#names.join(' or .')}, got ${name} ${t.dtype}`)
      }
    }
    this.dispose()
    for (const [name, t] of tensors) this.#tensors.set(name, t)
    return step
  }

  dispose(): void {
    for (const t of this.#tensors.values()) t.dispose()
    this.#tensors.clear()
  }
}

/** The gradient of each parameter. @throws {ShapeError} if one is missing or of another shape */
export function paired(op: string, params: ReadonlyMap<string, Tensor>, grads: Gradients): [name: string, parameter: Tensor, gradient: Tensor][] {
  return [...params].map(([name, p], i) => {
    const g = grads instanceof Map ? grads.get(name) as Tensor | undefined : (grads as readonly Tensor[])[i]
    if (!g || !sameShape(g.shape, p.shape)) {
      throw new ShapeError(`${op}: expected a gradient ${shapeText(p.shape)} for ${name}, got ${g ? shapeText(g.shape) : 'none'}; pass one per parameter, in order or by name`)
    }
    return [name, p, g]
  })
}
