import { type Backend, CheckpointError, ConfigError, type DType, type Tensor } from '@antipode/core'
import { type Checkpoint, readAll, type StateSource, stateOf } from '@antipode/core/nn'
import { checkOptions, oneOf, text } from '@antipode/core/options'
import { identify } from '../checkpoints/index.ts'

/** A word that was learned. */
export interface TextualInversion {
  /** As it stands in prompts. */
  readonly token: string
  /**
   * Rows for it, `[n, hidden_size]`: of one text tower, or of both of Stable Diffusion XL in their order.
   */
  readonly rows: readonly Tensor[]
}

/** Options of {@link readTextualInversion}. */
export interface ReadTextualInversionOptions {
  /** The word; by default the one that the file names, which most do not. */
  readonly token?: string | undefined
  /** Element type of the rows: f32, the default, f16 or bf16. */
  readonly dtype?: DType | undefined
}

/** Names under which files keep the rows of a word, in the order of the towers; none of them is the word. */
const kept: readonly (readonly string[])[] = [
  ['clip_l', 'clip_g'], ['text_encoders_0', 'text_encoders_1'], ['emb_params'], ['*'],
]

/** The tensors that are rows, and the word if the file names it. */
function rowsOf(source: StateSource): { readonly names: readonly string[]; readonly token?: string } {
  const all = [...source.names()]
  for (const names of kept) {
    const here = names.filter((name) => all.includes(name))
    if (here.length > 0) return { names: here }
  }
  const [only] = all
  if (all.length === 1 && only !== undefined) return { names: [only], token: only }
  throw new CheckpointError(
    'readTextualInversion: expected emb_params, clip_l and clip_g, or one tensor that is named as its word, got ' +
      `${identify(source).what}; pass a file of textual inversion`,
  )
}

/**
 * Reads a word that was learned by textual inversion, as diffusers, A1111's web UI and trainers of Stable Diffusion XL
 * keep it: a tensor `[width]` or `[n, width]` under the word itself, `emb_params`, `*` (in the `string_to_param` of a
 * file of torch), or `clip_l` and `clip_g`. Source: Gal et al. 2022, https://arxiv.org/abs/2208.01618.
 * @throws {CheckpointError} if it is no such file, or it cannot be read
 * @throws {ConfigError} if neither the file nor `token` says the word, or on an unknown option
 */
export async function readTextualInversion(
  device: Backend,
  checkpoint: Checkpoint,
  options: ReadTextualInversionOptions = {},
): Promise<TextualInversion> {
  checkOptions('readTextualInversion', options, { token: text, dtype: oneOf('f32', 'f16', 'bf16') })
  const source = stateOf(checkpoint)
  const { names, token: stated } = rowsOf(source)
  const { token = stated, dtype = 'f32' } = options
  if (token === undefined) {
    throw new ConfigError('readTextualInversion: expected a token, as the file does not name its word, got none')
  }
  for (const name of names) {
    const { shape, dtype: stored, reads } = source.info(name) ?? { shape: [], dtype: 'nothing', reads: [] }
    if ((shape.length === 1 || shape.length === 2) && reads.includes(dtype)) continue
    throw new CheckpointError(
      `readTextualInversion: expected rows of F32, F16 or BF16 for ${name}, got ${stored} [${shape.join()}]; ` +
        'the file is something else',
    )
  }
  const tensors = await readAll(source, new Map(names.map((name) => [name, dtype])), device)
  return { token, rows: [...tensors.values()].map((t) => (t.rank === 1 ? t.unsqueeze(0) : t)) }
}
