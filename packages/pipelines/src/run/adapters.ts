import { adapterNames, removeAdapter, type Module } from '@antipode/core/nn'
import type { SafetensorsSource } from '@antipode/core/io'
import { checkArgument, type Range, text } from '@antipode/core/options'
import { type AdapterTargets, loadAdapter, type LoadAdapterOptions } from '@antipode/models'

/** The adapters of a pipeline's models, off until a run turns them on by name. */
export interface PipelineAdapters {
  /** Names of those that there are. */
  readonly names: readonly string[]
  /**
   * Puts the adapter of a file on the models, in whatever format of the field it is. Errors as `loadAdapter` of
   * @antipode/models.
   * @example
   * await pipe.adapters.load('npo', 'npo.safetensors')
   */
  load(name: string, source: SafetensorsSource, options?: Omit<LoadAdapterOptions, 'name'>): Promise<void>
  /** Takes an adapter off every model, and frees it. @throws {ConfigError} if there is none of that name */
  remove(name: string): void
}

const aFile: Range = {
  expected: 'the file of an adapter, after its name',
  accepts: (v) => typeof v === 'string' || (typeof v === 'object' && v !== null),
}

/** @param targets models by their names on the hub */
export function pipelineAdapters(targets: AdapterTargets): PipelineAdapters {
  const models = Object.values(targets).filter((model): model is Module => model !== undefined)
  return {
    get names() {
      return [...new Set(models.flatMap(adapterNames))]
    },
    async load(name, source, options = {}) {
      checkArgument('adapters.load', 'name', name, text)
      checkArgument('adapters.load', 'source', source, aFile)
      await loadAdapter(targets, source, { ...options, name })
    },
    remove(name) {
      const carriers = models.filter((model) => adapterNames(model).includes(name))
      // Where none has it, the first says what there is.
      for (const model of carriers.length > 0 ? carriers : models.slice(0, 1)) removeAdapter(model, name)
    },
  }
}
