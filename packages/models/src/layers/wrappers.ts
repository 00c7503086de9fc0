import type { Module } from '@antipode/core/nn'
import type { Wrapper, Wrappers } from './pass.ts'

/**
 * Wrappers around layers of a model, chosen by name. They are for this very model: a copy, as `with` makes it, needs
 * its own.
 * @example
 * const weaker: Wrapper = (run, inputs) => run(...inputs).mul(0.9)
 * wrappersOf(unet, (name) => (name.startsWith('up_blocks.0.resnets') ? weaker : undefined))
 */
export function wrappersOf(model: Module, choose: (name: string, layer: Module) => Wrapper | undefined): Wrappers {
  return new Map([...model.namedModules()].flatMap(([name, layer]) => {
    const wrapper = choose(name, layer)
    return wrapper ? [[layer, wrapper] as const] : []
  }))
}

/**
 * Several sets of wrappers as one: where two stand around one layer, that of the later set stands around that of the
 * earlier.
 */
export function joinWrappers(...sets: readonly Wrappers[]): Wrappers {
  const joined = new Map<Module, Wrapper>()
  for (const [layer, outer] of sets.flatMap((set) => [...set])) {
    const inner = joined.get(layer)
    joined.set(layer, inner ? (run, inputs, pass) => outer((...given) => inner(run, given, pass), inputs, pass) : outer)
  }
  return joined
}
