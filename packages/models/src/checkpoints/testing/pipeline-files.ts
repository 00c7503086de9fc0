import { encodeSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { type Module, placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL, type AutoencoderKLConfig } from '../../autoencoder/index.ts'
import { type CLIPTextConfig, CLIPTextModel } from '../../clip/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'

const unetConfig: UNet2DConfig = {
  block_out_channels: [4], norm_num_groups: 2, layers_per_block: 1, in_channels: 4, out_channels: 4,
  cross_attention_dim: 8, attention_head_dim: 2, down_block_types: ['CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D'],
}
const vaeConfig: AutoencoderKLConfig = {
  block_out_channels: [4], down_block_types: ['DownEncoderBlock2D'], up_block_types: ['UpDecoderBlock2D'],
  norm_num_groups: 2,
}
const textConfig: CLIPTextConfig = {
  vocab_size: 16, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 2, num_attention_heads: 2,
  max_position_embeddings: 5,
}

/** The tensors of a model, each filled with its own number. */
export function entries(model: Module): SafetensorsEntry[] {
  return Array.from(model.namedParameters(), ([name, { shape, size }], i): SafetensorsEntry =>
    ({ name, dtype: 'F32', shape, data: new Float32Array(size).fill(i) }))
}

const json = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value))

interface Models {
  readonly unet: UNet2DConditionModel
  readonly vae: AutoencoderKL
  readonly text: CLIPTextModel
}

export function models(): Models {
  const init = placeholders(new FakeHost())
  return {
    unet: new UNet2DConditionModel(init, unetConfig), vae: new AutoencoderKL(init, vaeConfig),
    text: new CLIPTextModel(init, textConfig),
  }
}

/** A small Stable Diffusion as diffusers saves it: the UNet in two shards, the autoencoder in f16 only, by path. */
export function pipelineFiles(): Map<string, Uint8Array<ArrayBuffer>> {
  const { unet, vae, text } = models()
  const [all, half] = [entries(unet), 20]
  const shards = [all.slice(0, half), all.slice(half)]
  const shardName = (i: number): string => `diffusion_pytorch_model-0000${i + 1}-of-00002.safetensors`
  const positions: SafetensorsEntry =
    { name: 'text_model.embeddings.position_ids', dtype: 'I64', shape: [1, 5], data: new BigInt64Array(5) }
  return new Map([
    ['model_index.json', json({
      _class_name: 'StableDiffusionPipeline', _diffusers_version: '0.42.1', requires_safety_checker: false,
      safety_checker: [null, null], scheduler: ['diffusers', 'PNDMScheduler'],
      text_encoder: ['transformers', 'CLIPTextModel'], tokenizer: ['transformers', 'CLIPTokenizer'],
      unet: ['diffusers', 'UNet2DConditionModel'], vae: ['diffusers', 'AutoencoderKL'],
    })],
    ['scheduler/scheduler_config.json', json({ _class_name: 'PNDMScheduler', steps_offset: 1 })],
    ['tokenizer/vocab.json', json({ a: 0 })],
    ['text_encoder/config.json', json({ architectures: ['CLIPTextModel'], ...textConfig })],
    ['text_encoder/model.safetensors', encodeSafetensors([...entries(text), positions])],
    ['unet/config.json', json({ _class_name: 'UNet2DConditionModel', ...unetConfig })],
    ...shards.map((part, i): [string, Uint8Array<ArrayBuffer>] => [`unet/${shardName(i)}`, encodeSafetensors(part)]),
    ['unet/diffusion_pytorch_model.safetensors.index.json', json({
      weight_map: Object.fromEntries(shards.flatMap((part, i) => part.map(({ name }) => [name, shardName(i)]))),
    })],
    ['vae/config.json', json({ _class_name: 'AutoencoderKL', ...vaeConfig })],
    ['vae/diffusion_pytorch_model.fp16.safetensors', encodeSafetensors(entries(vae))],
  ])
}

/** Files with some of them changed, or left out. */
export function edited(
  files: ReadonlyMap<string, Uint8Array>,
  changes: Readonly<Record<string, string | Uint8Array | undefined>>,
): Map<string, Uint8Array> {
  const copy = new Map<string, Uint8Array>(files)
  for (const [path, content] of Object.entries(changes)) {
    if (content === undefined) copy.delete(path)
    else copy.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content)
  }
  return copy
}
