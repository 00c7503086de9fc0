import { ConfigError, type Tensor } from '@antipode/core'
import type { Module } from '@antipode/core/nn'

/** What layers of a model are told in one forward pass, beside what they compute on. */
export interface PassInput {
  /** Embedding of time, and of what else the model is told, after its SiLU: `[B, timeWidth]`. */
  readonly time?: Tensor | undefined
  /** Tokens to attend to, `[B,M,contextWidth]`. */
  readonly context?: Tensor | undefined
  /** Rows and columns of the image whose pixels are tokens, inside a transformer over one. */
  readonly grid?: readonly [height: number, width: number] | undefined
}

/** What a layer makes of its inputs. */
export type Compute = (...inputs: readonly Tensor[]) => Tensor

/**
 * What stands around a layer in one forward pass: it is given what the layer computes, the inputs it came to, and what
 * the pass tells all layers, and returns what goes on. It may call `run` with other inputs, several times, or not at
 * all.
 */
export type Wrapper = (run: Compute, inputs: readonly Tensor[], pass: PassInput) => Tensor

/** Wrappers by the layers that they stand around. */
export type Wrappers = ReadonlyMap<Module, Wrapper>

/** One forward pass, by which layers run the layers in them. */
export class Pass implements PassInput {
  readonly time: Tensor | undefined
  readonly context: Tensor | undefined
  readonly grid: readonly [height: number, width: number] | undefined
  readonly #wrappers: Wrappers
  readonly #reached: Set<Module>

  constructor({ time, context, grid }: PassInput = {}, wrappers: Wrappers = new Map(), reached: Set<Module> = new Set()) {
    this.time = time
    this.context = context
    this.grid = grid
    this.#wrappers = wrappers
    this.#reached = reached
  }

  /** The same pass among tokens that are the pixels of an image. */
  over(grid: readonly [height: number, width: number]): Pass {
    return new Pass({ ...this, grid }, this.#wrappers, this.#reached)
  }

  /** What a layer computes, and what stands around it makes of that. */
  run(layer: Module, inputs: readonly Tensor[], compute: Compute): Tensor {
    const wrapper = this.#wrappers.get(layer)
    if (!wrapper) return compute(...inputs)
    this.#reached.add(layer)
    return wrapper(compute, inputs, this)
  }

  /** @throws {ConfigError} if a wrapper stands around nothing that was run */
  checkReached(where: string): void {
    const missed = [...this.#wrappers.keys()].filter((layer) => !this.#reached.has(layer))
    if (missed.length === 0) return
    const names = [...new Set(missed.map((layer) => layer.constructor.name))].join(', ')
    throw new ConfigError(
      `${where}: expected wrappers around layers that it runs, got ${missed.length} around others (${names}); ` +
        'take them from this very model: a copy, as `with` makes it, has layers of its own',
    )
  }
}
