import type { Tensor } from '@antipode/core'
import { Module } from '@antipode/core/nn'
import type { CLIPTextModelWithProjection } from './text-model.ts'
import type { CLIPVisionModelWithProjection } from './vision-model.ts'

/**
 * A whole CLIP: both towers and the temperature of its training, with the parameter names and the configuration of
 * transformers' `CLIPModel`. It owns none of them: it is what a file of them all is written from.
 */
export class CLIPModel extends Module {
  readonly className = 'CLIPModel'
  readonly config: object
  readonly text: CLIPTextModelWithProjection
  readonly vision: CLIPVisionModelWithProjection
  readonly logitScale: Tensor

  /** @param logitScale the logarithm of the temperature's inverse, one number */
  constructor(text: CLIPTextModelWithProjection, vision: CLIPVisionModelWithProjection, logitScale: Tensor) {
    super()
    this.text = text
    this.vision = vision
    this.logitScale = logitScale
    this.config = {
      model_type: 'clip', projection_dim: text.resolved.projection, logit_scale_init_value: Math.log(1 / 0.07),
      text_config: { ...text.config, model_type: 'clip_text_model' },
      vision_config: { ...vision.config, model_type: 'clip_vision_model' },
    }
  }

  override *namedParameters(prefix = ''): Generator<[name: string, parameter: Tensor]> {
    yield [`${prefix}logit_scale`, this.logitScale]
    yield* this.text.namedParameters(prefix)
    yield* this.vision.namedParameters(prefix)
  }
}
