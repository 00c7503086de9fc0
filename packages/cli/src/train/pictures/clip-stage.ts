import { tensor } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { CLIPTokenizer, saveClip, tokenizerComponent } from '@antipode/models'
import { clipParameters, smallClip, trainClip } from '@antipode/pipelines/training'
import { clipTowers } from '@antipode/rewards'
import type { StageMaker } from './picture-run.ts'
import { learntTokenizer } from './learnt-tokenizer.ts'

/** What CLIP's temperature begins with. Source: Radford et al. 2021, arXiv 2103.00020, section 2.5. */
const temperature = 0.07

/** A CLIP of its own, with a tokenizer learnt from the captions. */
export const clipStage: StageMaker = async (device, pictures, { settings, signal }) => {
  const { side, seed, shift, config: own } = settings
  const { files, configs } = learntTokenizer(settings, pictures.captions.flat(), (vocabulary) => {
    const { text_config: text, vision_config: vision } = smallClip(side, vocabulary)
    const config = { text: { ...text, ...own['text_config'] }, vision: { ...vision, ...own['vision_config'] } }
    return { config, maxLength: config.text.max_position_embeddings }
  })
  const towers = clipTowers(randomParameters(device, { seed }), configs)
  const logitScale = tensor(device, [Math.log(1 / temperature)], [])
  const models = { ...towers, logitScale, tokenizer: CLIPTokenizer.from(files) }
  return {
    parameters: clipParameters(models),
    recipe: { configs },
    steps: (options) => trainClip(models, pictures, { ...options, shift }),
    save: (folder) => saveClip(folder, { ...towers, logitScale, tokenizer: tokenizerComponent(files) }, { signal }),
  }
}
