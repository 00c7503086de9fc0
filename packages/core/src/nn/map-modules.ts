import { callable, checkArgument } from '../options/index.ts'
import { copyWith, type Module } from './module.ts'

/**
 * A copy of a model in which each module below it is what `f` gives for it: another one stands in its place as it is,
 * and of the same one the parts are asked for in turn. All tensors are shared but those that `f` brings; layers that it
 * replaces still belong to the model that was given. @throws {ConfigError} if `f` is no function
 * @example
 * const quick = mapModules(unet, (layer) => (layer instanceof GroupNorm ? new MyNorm(layer) : layer))
 */
export function mapModules<M extends Module>(model: M, f: (module: Module, name: string) => Module): M {
  checkArgument('mapModules', 'f', f, callable)
  const partsOf = <P extends Module>(module: P, prefix: string): P => copyWith(module, (part, key) => {
    const name = prefix + key
    const given = f(part, name)
    return given === part ? partsOf(part, `${name}.`) : given
  })
  return partsOf(model, '')
}
