import { callable, checkArgument } from '../options/index.ts'

/** What was forgotten: a tensor that was collected while it still owned GPU memory. */
export interface Leak {
  readonly shape: readonly number[]
  readonly dtype: string
  /** Where it came to own its memory, when stacks were being recorded. */
  readonly stack: string | undefined
}

/** A tensor, as far as it is watched. */
interface Watched extends Pick<Leak, 'shape' | 'dtype'> {
  readonly source: { readonly kind: 'storage'; readonly storage: { release(): void } } | { readonly kind: string }
}

interface Record extends Leak {
  readonly release: () => void
}

/**
 * Tensors that are garbage-collected without `dispose` give their memory back late; this reports them. Recording where
 * they were made costs a stack trace each, so it is on only after `leaks.report(…)`.
 */
class Leaks {
  #listener: ((leak: Leak) => void) | undefined
  readonly #registry = new FinalizationRegistry<Record>((record) => {
    record.release()
    this.#listener?.(record)
  })

  /** Calls `listener` for each forgotten tensor from now on; `undefined` stops it. @throws {ConfigError} if it is no function */
  report(listener: ((leak: Leak) => void) | undefined): void {
    if (listener !== undefined) checkArgument('leaks.report', 'listener', listener, callable)
    this.#listener = listener
  }

  /** @internal */
  watch(tensor: Watched): void {
    const { source } = tensor
    if (!('storage' in source)) return
    const { storage } = source
    const stack = this.#listener ? new Error('made here').stack : undefined
    this.#registry.register(tensor, { shape: tensor.shape, dtype: tensor.dtype, stack, release: () => { storage.release() } }, tensor)
  }

  /** @internal */
  forget(tensor: Watched): void {
    this.#registry.unregister(tensor)
  }
}

/** The watch over forgotten tensors. */
export const leaks: Leaks = /* @__PURE__ */ new Leaks()
