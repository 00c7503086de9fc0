/** What LDM calls the layers of a resnet. */
const inResnet: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0', conv1: 'in_layers.2', time_emb_proj: 'emb_layers.1', norm2: 'out_layers.0', conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
}

/** Layers outside the blocks. */
const outside: Readonly<Record<string, string>> = {
  conv_in: 'input_blocks.0.0', conv_norm_out: 'out.0', conv_out: 'out.2',
  'time_embedding.linear_1': 'time_embed.0', 'time_embedding.linear_2': 'time_embed.2',
  'add_embedding.linear_1': 'label_emb.0.0', 'add_embedding.linear_2': 'label_emb.0.2',
}

const blockName = /^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/
const middleName = /^mid_block\.(resnets|attentions)\.(\d+)\.(.+)$/

/** What a block of a UNet has, as far as the names of its layers tell. */
interface Block {
  resnets: number
  attends: boolean
  /** Whether it ends in a downsampler, which LDM counts as one block more. */
  shrinks: boolean
}

/**
 * What single files of Stable Diffusion (LDM, and SGM after it) call the layers of a UNet: `input_blocks.4.1.proj_in`
 * for `down_blocks.1.attentions.0.proj_in`. LDM counts its blocks through, so all layers of the model are needed.
 * Source: the numbering of CompVis' `openaimodel.py`.
 * @param layers names of layers, as diffusers has them
 * @returns LDM's name of each that has one
 */
export function ldmLayers(layers: Iterable<string>): Map<string, string> {
  const names = [...layers]
  const blocks = { down: [] as Block[], up: [] as Block[] }
  for (const name of names) {
    const [, way, at, kind, j] = blockName.exec(name) ?? []
    if (!at) continue
    const block = blocks[way as 'down' | 'up'][Number(at)] ??= { resnets: 0, attends: false, shrinks: false }
    if (kind === 'resnets') block.resnets = Math.max(block.resnets, Number(j) + 1)
    else if (kind === 'attentions') block.attends = true
    else if (kind === 'downsamplers') block.shrinks = true
  }
  const sizeOf = ({ resnets, shrinks }: Block): number => resnets + (shrinks ? 1 : 0)
  const start = (way: 'down' | 'up', at: number): number =>
    blocks[way].slice(0, at).reduce((n, block) => n + sizeOf(block), way === 'down' ? 1 : 0)

  const ldmName = (name: string): string | undefined => {
    const [, middle, place, within = ''] = middleName.exec(name) ?? []
    if (middle === 'attentions') return `middle_block.1.${within}`
    if (middle) return resnetLayer(`middle_block.${2 * Number(place)}`, within)
    const [, way, at, kind, j, rest = ''] = blockName.exec(name) ?? []
    if (!way) return outside[name]
    const block = blocks[way as 'down' | 'up'][Number(at)] as Block // counted above
    const first = start(way as 'down' | 'up', Number(at))
    const series = way === 'down' ? 'input_blocks' : 'output_blocks'
    if (kind === 'resnets') return resnetLayer(`${series}.${first + Number(j)}.0`, rest)
    if (kind === 'attentions') return `${series}.${first + Number(j)}.1.${rest}`
    if (rest !== 'conv') return undefined
    return kind === 'downsamplers'
      ? `${series}.${first + block.resnets}.0.op`
      : `${series}.${first + block.resnets - 1}.${block.attends ? 2 : 1}.conv`
  }
  return new Map(names.flatMap((name) => {
    const ldm = ldmName(name)
    return ldm === undefined ? [] : [[name, ldm] as const]
  }))
}

function resnetLayer(block: string, layer: string): string | undefined {
  return inResnet[layer] && `${block}.${inResnet[layer]}`
}
