import type { Folder, TensorFile, SafetensorsSource } from '@antipode/core/io'
import { stateOf, type StateSource } from '@antipode/core/nn'
import type { Component, Config } from './checkpoint.ts'
import type { PredictionType } from './defaults.ts'
import type { Contents } from './diffusers-folder.ts'
import { identify } from './identify.ts'
import { parseConfig } from './json.ts'
import type { OpenFiles } from './open-files.ts'
import { originalModel, originalPipeline } from './original.ts'
import { refuse } from './refuse.ts'

/** What tensors of a single file do not tell. */
export interface Hints {
  readonly prediction: PredictionType | undefined
  readonly tokenizer: Folder | undefined
}

/**
 * What one file holds: a model with its configuration, as `saveModel` writes it, or a checkpoint with the names of its
 * original code, which is recognised by its tensors.
 * @throws {CheckpointError} that says what it is instead
 */
export async function readSingleFile(source: SafetensorsSource, files: OpenFiles, hints: Hints): Promise<Contents> {
  const file = await files.open(source)
  const state = stateOf(file)
  const stored = file.metadata['config']
  const config = stored === undefined ? {} : parseConfig('the configuration in the header', stored)
  const className = config['_class_name']
  if (typeof className === 'string') return alone(className, config, state)
  const identity = identify(state)
  if (identity.names === 'original') {
    if (identity.kind !== 'checkpoint') return originalModel(state, identity)
    return originalPipeline(state, identity, predicted(file, hints), hints)
  }
  return refuse('a checkpoint, or a model with its configuration', identity.what, advice(identity.kind))
}

/** How the file was trained, where somebody says so: the caller, the header, or a tensor that is there to say it. */
function predicted({ metadata, tensors }: TensorFile, { prediction }: Hints): PredictionType | undefined {
  if (prediction !== undefined) return prediction
  const told = metadata['modelspec.prediction_type']
  if (told === 'v' || told === 'v_prediction' || tensors.has('v_pred')) return 'v_prediction'
  return told === 'epsilon' ? 'epsilon' : undefined
}

function advice(kind: ReturnType<typeof identify>['kind']): string {
  if (kind === 'lora') return 'open the checkpoint that it is for, and load this on it with loadAdapter'
  if (kind === 'unknown') return 'check which file it is'
  if (kind === 'unet' || kind === 'vae' || kind === 'text-encoder') return 'pass its folder, with its config.json'
  if (kind === 'tiny-vae') return 'load it with loadAutoencoder'
  return 'pass the checkpoint that it belongs to'
}

/** One model as contents. */
function alone(className: string, config: Config, state: StateSource): Contents {
  const component: Component = { className, config, weights: async () => state, text: async () => undefined }
  return { className, config: {}, components: new Map([['model', component]]) }
}
