import { inBlocks, UnsupportedError } from '@antipode/core'
import { type Module, standIn } from '@antipode/core/nn'
import { type MemoryPlan, type PipelineMemory, planWithin } from '../memory/index.ts'
import type { GenerateOptions, PreparedOptions } from '../request/index.ts'
import { isPlanner } from './decode.ts'
import { type Family, tensorsOf } from './family.ts'
import type { ImagePrompts } from './image-prompt.ts'
import { Measures } from './measure.ts'

/** Tells what runs take, and how they are kept within a budget. */
export interface Planning<O extends GenerateOptions> extends Disposable {
  /** @throws {UnsupportedError} if nothing plans on the device @throws {OutOfMemoryError} if no way fits the budget */
  (options: O & PreparedOptions): MemoryPlan
}

/** Plans runs of a family: those of the same sizes once. */
export function planningOf<O extends GenerateOptions>(
  family: Family<O>,
  images: ImagePrompts,
  memory: PipelineMemory | undefined,
): Planning<O> {
  // Models of a budget are not always there to be planned with.
  const models = Object.entries(family.models).map(([name, model]) => [name, memory ? standIn(model) : model] as const)
  const planned = memory ? family.of(Object.fromEntries(models)) : family
  const known = new Map<string, MemoryPlan>()
  const plan = (options: O & PreparedOptions): MemoryPlan => {
    const { unet } = family.components
    const { device } = unet
    if (!isPlanner(device)) {
      throw new UnsupportedError(`${family.name}: expected models on a Device to plan for, got another backend`)
    }
    const measures = new Measures(device, planned as Family<GenerateOptions>, images, options, memory?.dtype ?? keptIn(unet))
    const key = keyOf(measures, options)
    const found = known.get(key) ?? planWithin(family.name, measures, memory?.budget ?? Infinity)
    known.set(key, found)
    return found
  }
  return Object.assign(plan, {
    [Symbol.dispose]() {
      if (memory) for (const [, model] of models) for (const t of model.parameters()) t.dispose()
    },
  })
}

/** What a model keeps its weights in: blocks, where some do, and otherwise what it computes in. */
function keptIn(model: Module): string {
  return model.parameters().find(({ dtype }) => inBlocks(dtype))?.dtype ?? model.dtype
}

/** All that a plan depends on. */
function keyOf({ call, adapters }: Measures, { tiling, image, guider, perturbed }: PreparedOptions): string {
  const { request: { rows, height, width, positive, negative }, conditions, guidance } = call
  const shapes = tensorsOf(conditions).map(({ shape }) => shape)
  const weights = [positive, negative].map((own) => Object.entries(own).map(([name, w]) => [name, typeof w === 'number' ? w : 'by layer']))
  const guided = conditions.negative && (guider ? ['by a guider', typeof perturbed === 'function' ? perturbed.name : perturbed] : guidance.rescale > 0)
  return JSON.stringify([rows, height, width, shapes, weights, guided, adapters, tiling, image?.shape])
}
