import { checkArgument, checkOptions, type Range, type Ranges } from '@antipode/core/options'
import { Module } from '@antipode/core/nn'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../../clip/index.ts'

/** Models of a pipeline that an adapter file may have parts for, by the names of their folders on the hub. */
export interface AdapterTargets {
  readonly unet?: Module | undefined
  readonly text_encoder?: Module | undefined
  readonly text_encoder_2?: Module | undefined
}

/** The name of a model in a pipeline. */
export type AdapterComponent = keyof AdapterTargets

const aModel: Range = { expected: 'a model', accepts: (v) => v instanceof Module }
const targetRanges: Ranges<AdapterTargets> = { unet: aModel, text_encoder: aModel, text_encoder_2: aModel }

/** Every component, in the order in which files have them. */
export const components = Object.keys(targetRanges) as readonly AdapterComponent[]

/**
 * Models by component. A model that stands alone is the UNet, unless it is a text encoder; one with a projection is the
 * second of Stable Diffusion XL.
 * @throws {ConfigError} if there is none, or something else
 */
export function targetsOf(where: string, target: Module | AdapterTargets): Map<AdapterComponent, Module> {
  if (target instanceof Module) return new Map([[componentOf(target), target]])
  checkOptions(where, target, targetRanges)
  const targets = new Map(components.flatMap((component) => {
    const model = target[component]
    return model ? [[component, model] as const] : []
  }))
  checkArgument(where, 'the models', targets, {
    expected: `at least one of ${components.join(', ')}`, accepts: () => targets.size > 0,
  })
  return targets
}

function componentOf(model: Module): AdapterComponent {
  if (model instanceof CLIPTextModelWithProjection) return 'text_encoder_2'
  return model instanceof CLIPTextModel ? 'text_encoder' : 'unet'
}
