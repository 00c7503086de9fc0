import { ConfigError, type Tensor, type Backend, UnsupportedError, tuningTable, zeros } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import type { UNet2DConfig } from './config.ts'
import { UNet2DConditionModel } from './unet-2d-condition.ts'
import type { UNet2DCondition } from './unet-input.ts'

/** A device that exists only so that graphs can be built and counted. */
const nowhere: Backend = {
  target: {
    kind: 'gpu', f16: false, subgroupSize: 0, textureRows: 0, matrices: false, workgroupBytes: 32_768,
    tuning: tuningTable.gpu,
  },
  evaluate: refuse,
  read: refuse,
  upload: refuse,
  uploadBytes: refuse,
  write: refuse,
  memory: () => ({ live: 0, pooled: 0, peak: 0, plans: 0, tensors: 0 }),
}

function refuse(): never {
  throw new UnsupportedError('flopsPerImage: a graph that is only counted was asked for its values')
}

/**
 * Floating-point operations of matrix products, convolutions and attention on the way to tensors that are not evaluated
 * yet, by the rule of each op: a multiplication with its addition counts as two, everything else as none.
 */
export function flopsOf(...outputs: readonly Tensor[]): number {
  const seen = new Set<unknown>()
  const stack = [...outputs]
  let flops = 0
  for (let t = stack.pop(); t; t = stack.pop()) {
    const { source } = t
    if (source.kind !== 'node' || seen.has(source.node)) continue
    const { node } = source
    seen.add(node)
    stack.push(...node.inputs)
    flops += node.op.flops?.(node.inputs, node.specs, node.attrs) ?? 0
  }
  return flops
}

/** {@link flopsOf} one forward pass on one image, by arithmetic alone. @throws {ConfigError} without a sample_size */
export function flopsPerImage(config: UNet2DConfig): number {
  const unet = blank(config)
  const { sample_size: side } = config
  if (!side) throw new ConfigError('flopsPerImage: expected a sample_size to count at, got none')
  const image = typeof side === 'number' ? [side, side] : side
  return flopsOf(unet.forward(zeros(nowhere, [1, unet.resolved.inChannels, ...image]), 0, blankCondition(unet)))
}

/** Conditions of one image, of the shapes that the model asks for. */
function blankCondition({ resolved }: UNet2DConditionModel): UNet2DCondition {
  const { addition, classes, contextInputs, contextWidths, timeWidth } = resolved
  const context = zeros(nowhere, [1, 77, contextInputs ?? contextWidths[0] ?? 1])
  const added = addition?.kind === 'text_time' ? {
    textEmbeds: zeros(nowhere, [1, addition.inputs - 6 * addition.timeWidth]), timeIds: zeros(nowhere, [1, 6]),
  } : {}
  if (!classes || classes.kind === 'table') return { context, ...added }
  const shape = classes.kind === 'timestep' ? [1] : [1, classes.kind === 'identity' ? timeWidth : classes.inputs]
  return { context, ...added, classLabels: zeros(nowhere, shape) }
}

/** Number of parameters of a configuration, without making them. */
export function parameterCount(config: UNet2DConfig): number {
  return blank(config).parameterCount
}

function blank(config: UNet2DConfig): UNet2DConditionModel {
  return new UNet2DConditionModel(placeholders(nowhere), config)
}
