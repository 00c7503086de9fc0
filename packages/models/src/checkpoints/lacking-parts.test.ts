import { expect, test } from 'vitest'
import { encodeSafetensors } from '@antipode/core/io'
import { openCheckpoint } from './index.ts'
import { edited, pipelineFiles } from './testing/index.ts'

const files = pipelineFiles()
/** The files of one component. */
const below = (at: string): Map<string, Uint8Array> =>
  new Map([...files].flatMap(([path, bytes]) => (path.startsWith(at) ? [[path.slice(at.length), bytes]] : [])))

test('files that are missing are named when they are asked for', async () => {
  const gone = edited(files, {
    'vae/diffusion_pytorch_model.fp16.safetensors': undefined, 'vae/config.json': undefined,
    'unet/diffusion_pytorch_model-00002-of-00002.safetensors': undefined,
  })
  await using checkpoint = await openCheckpoint(gone)
  const [vae, unet] = [checkpoint.component('vae'), checkpoint.component('unet')]
  expect(() => vae.config).toThrow('expected vae/config.json in a Map of files, got none')
  await expect(vae.weights()).rejects.toThrow(
    'expected vae/diffusion_pytorch_model.safetensors in a Map of files, whole or as shards with an index, got none',
  )
  await expect(unet.weights()).rejects.toThrow(
    'expected the 2 shards that it names, got none called diffusion_pytorch_model-00002-of-00002.safetensors',
  )
})

test('what a checkpoint does not have is told with what it has', async () => {
  await using vae = await openCheckpoint(below('vae/'))
  expect(() => vae.component('unet'))
    .toThrow('expected a checkpoint with unet, got AutoencoderKL with vae (AutoencoderKL)')
  expect(vae.component('vae').className).toBe('AutoencoderKL')
})

test('weights of another class than the configuration are told for what they are', async () => {
  const swapped = edited(files, {
    'unet/diffusion_pytorch_model.safetensors': files.get('vae/diffusion_pytorch_model.fp16.safetensors'),
    'text_encoder/model.safetensors': encodeSafetensors([{
      name: 'lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight', dtype: 'F32', shape: [1],
      data: Float32Array.of(1),
    }]),
  })
  await using checkpoint = await openCheckpoint(swapped)
  await expect(checkpoint.component('unet').weights())
    .rejects.toThrow('expected weights of UNet2DConditionModel in unet/ of a Map of files, got an autoencoder')
  await expect(checkpoint.component('text_encoder').weights()).rejects.toThrow('got a LoRA')
})
