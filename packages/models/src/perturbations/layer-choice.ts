import { ConfigError } from '@antipode/core'
import type { Module, MultiHeadAttention } from '@antipode/core/nn'
import { either, listOf, type Range } from '@antipode/core/options'
import { AttentionBlock2D, BasicTransformerBlock } from '../layers/index.ts'

/**
 * Layers by their names: those at or inside of dotted names, `mid_block` or `up_blocks.0.attentions.1`, or those whose
 * names a pattern finds.
 */
export type LayerChoice = string | readonly string[] | RegExp

/** Options of perturbations. */
export interface PerturbationOptions {
  /** Where; in the middle block by default. */
  readonly layers?: LayerChoice
}

const aName: Range = { expected: 'a name of layers', accepts: (v) => typeof v === 'string' && v !== '' }
const aPattern: Range = { expected: 'a RegExp', accepts: (v) => v instanceof RegExp }
export const layersRange: Range = either(either(aName, listOf(aName)), aPattern)

const isSelfAttention = (name: string, parent: Module | undefined): boolean =>
  parent instanceof BasicTransformerBlock && !parent.onlyCross && name.endsWith('.attn1')

/** Chosen self-attentions of a model, with their names. @throws {ConfigError} if a choice finds none */
export function selfAttentions(where: string, model: Module, layers?: LayerChoice): (readonly [string, MultiHeadAttention])[] {
  return chosen(where, 'self-attention', model, layers, (name, layer, parent) =>
    (layer instanceof AttentionBlock2D || isSelfAttention(name, parent) ? layer as MultiHeadAttention : undefined))
}

/** Chosen transformer blocks of a model, with their names. @throws {ConfigError} if a choice finds none */
export function transformerBlocks(where: string, model: Module, layers?: LayerChoice): (readonly [string, BasicTransformerBlock])[] {
  return chosen(where, 'transformer block', model, layers, (_name, layer) =>
    (layer instanceof BasicTransformerBlock ? layer : undefined))
}

function chosen<M extends Module>(
  where: string, kind: string, model: Module, layers: LayerChoice = 'mid_block',
  take: (name: string, layer: Module, parent: Module | undefined) => M | undefined,
): (readonly [string, M])[] {
  const named = new Map(model.namedModules())
  const all = [...named].flatMap(([name, layer]) => {
    const taken = take(name, layer, named.get(name.slice(0, name.lastIndexOf('.'))))
    return taken ? [[name, taken] as const] : []
  })
  const choices = typeof layers === 'string' || layers instanceof RegExp ? [layers] : layers
  const found = choices.map((choice) => all.filter(([name]) =>
    (choice instanceof RegExp ? name.search(choice) >= 0 : `${name}.`.startsWith(`${choice}.`))))
  const missed = found.findIndex((some) => some.length === 0)
  if (missed < 0) return [...new Map(found.flat())]
  const there = all.length === 0 ? 'the model has none' : `it has ${all.map(([name]) => name).join(', ')}`
  throw new ConfigError(`${where}: expected a ${kind} at ${String(choices[missed])}, got none; ${there}`)
}
