import { type Backend, tensor } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { CLIPTokenizer, trainClipTokenizer } from '@antipode/models'
import { clipTowers } from '@antipode/rewards'
import type { SquarePictures } from '../../squares/index.ts'
import type { TrainedClip } from '../clip-models.ts'

/** Pixels a side. */
export const side = 16
const colours = { red: [220, 30, 30], green: [30, 160, 40], blue: [40, 60, 210], yellow: [230, 200, 40] } as const
const inside = {
  square: (x: number, y: number) => Math.max(Math.abs(x), Math.abs(y)) <= 5,
  ring: (x: number, y: number) => Math.hypot(x, y) <= 6 && Math.hypot(x, y) >= 3,
}

/** A square and a ring in each of four colours, on white, with two captions each. */
export function shapes(): SquarePictures {
  const all = Object.entries(colours).flatMap(([colour, rgb]) => (
    Object.entries(inside).map(([shape, holds]) => ({ words: `${colour} ${shape}`, rgb, holds }))
  ))
  const pictures = new Uint8Array(all.length * 3 * side * side).fill(255)
  for (const [k, { rgb, holds }] of all.entries()) {
    for (const [channel, value] of rgb.entries()) {
      for (let i = 0; i < side * side; i++) {
        const [x, y] = [i % side - (side - 1) / 2, Math.floor(i / side) - (side - 1) / 2]
        if (holds(x, y)) pictures[(3 * k + channel) * side * side + i] = value
      }
    }
  }
  return { pictures, side, captions: all.map(({ words }) => [`a ${words}`, `${words} on white`]) }
}

/** A CLIP of a few thousand numbers, and a tokenizer that was trained on the captions. */
export function smallClip(device: Backend, { captions }: SquarePictures, seed = 1): TrainedClip & Disposable {
  const files = trainClipTokenizer(captions.flat(), { vocabularySize: 540, maxLength: 8 })
  const tokenizer = CLIPTokenizer.from(files)
  const tower = {
    hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, projection_dim: 16,
  }
  const { text, vision } = clipTowers(randomParameters(device, { seed }), {
    text: { ...tower, vocab_size: 540, eos_token_id: tokenizer.eos, max_position_embeddings: 8 },
    vision: { ...tower, image_size: side, patch_size: 4 },
  })
  const logitScale = tensor(device, [Math.log(1 / 0.07)], [])
  return {
    text, vision, tokenizer, logitScale,
    [Symbol.dispose]() {
      text.dispose()
      vision.dispose()
      logitScale.dispose()
    },
  }
}
