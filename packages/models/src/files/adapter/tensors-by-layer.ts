import { CheckpointError } from '@antipode/core'
import { components, type AdapterComponent } from './components.ts'
import { type Part, partOf } from './part-names.ts'
import { componentNamed, type Place, placeOf } from './places.ts'

/** The tensors of one layer in a file, by their names there. */
export interface LayerNames extends Readonly<Partial<Record<Part, string>>> {
  /** The layer's name for whoever wrote the file. */
  readonly called: string
}

/** What a file has for each model. */
export interface TensorsByLayer {
  readonly layers: ReadonlyMap<AdapterComponent, ReadonlyMap<string, LayerNames>>
  /** Names that belong to no layer, by the component that they say they are for. */
  readonly strangers: ReadonlyMap<AdapterComponent | undefined, readonly string[]>
}

/**
 * The tensors of an adapter file by the layers of the models.
 * @param places layers by all their names
 * @throws {CheckpointError} if two tensors stand for one
 */
export function tensorsByLayer(names: Iterable<string>, places: ReadonlyMap<string, Place>): TensorsByLayer {
  const layers = new Map<AdapterComponent, Map<string, LayerNames>>(components.map((one) => [one, new Map()]))
  const strangers = new Map<AdapterComponent | undefined, string[]>()
  for (const name of names) {
    const { stem, part } = partOf(name) ?? {}
    const place = stem === undefined ? undefined : placeOf(places, stem)
    if (!place || !part) {
      const component = componentNamed(name)
      strangers.set(component, [...strangers.get(component) ?? [], name])
      continue
    }
    const { component, layer, called } = place
    const own = layers.get(component)?.get(layer) ?? { called }
    if (own[part] !== undefined) {
      throw new CheckpointError(
        `loadAdapter: expected one tensor of each kind for ${layer}, got ${own[part]} and ${name}; ` +
          'export the file again',
      )
    }
    layers.get(component)?.set(layer, { ...own, [part]: name })
  }
  return { layers, strangers }
}
