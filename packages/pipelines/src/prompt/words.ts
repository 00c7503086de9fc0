import { CheckpointError, ConfigError, type Tensor, UnsupportedError } from '@antipode/core'
import { readTensors, type SafetensorsSource } from '@antipode/core/io'
import { addTextualInversion, type CLIPTextModel, CLIPTokenizer, readTextualInversion } from '@antipode/models'
import type { PromptTokenizer } from './tokens.ts'

/** A text tower and the tokenizer before it. */
export interface TextTower<M extends CLIPTextModel = CLIPTextModel> {
  readonly tokenizer: PromptTokenizer
  readonly model: M
}

/** Words that a pipeline has learned by textual inversion. */
export interface PipelineTextualInversions {
  /** As they stand in prompts. */
  readonly names: readonly string[]
  /**
   * Teaches the pipeline the word of a file, as `readTextualInversion` of @antipode/models reads it: wherever it stands in
   * a prompt, all vectors of the file stand. @param token the word; undefined for the one that the file names
   * @throws {CheckpointError} if it is no such file, or was learned on another model
   * @throws {ConfigError} if the word is known already, or nothing says which it is
   * @example
   * await pipe.textualInversions.load('<cat-toy>', 'learned_embeds.safetensors')
   */
  load(token: string | undefined, source: SafetensorsSource): Promise<void>
  /** Forgets a word, and frees it. @throws {ConfigError} if there is none such */
  remove(token: string): void
}

/** Words, and the towers that know them. It owns the words, and no tower. */
export class LearnedWords implements PipelineTextualInversions, Disposable {
  readonly #towers: readonly TextTower[]
  readonly #rows = new Map<string, readonly Tensor[]>()

  /** @param towers in the order of files: that of XL's second encoder is the last */
  constructor(towers: readonly TextTower[]) {
    this.#towers = towers
  }

  get names(): readonly string[] {
    return [...this.#rows.keys()]
  }

  /** Rows of all words. */
  parameters(): Tensor[] {
    return [...this.#rows.values()].flat()
  }

  async load(token: string | undefined, source: SafetensorsSource): Promise<void> {
    const [{ model } = this.#lacking()] = this.#towers
    await using file = await readTensors(source)
    const { token: word, rows } = await readTextualInversion(model.device, file, { token, dtype: model.dtype })
    try {
      const own = this.#fitting(rows)
      this.#rows.set(this.#unknown(word), own)
      for (const one of rows) if (!own.includes(one)) one.dispose()
    } catch (error) {
      for (const one of rows) one.dispose()
      throw error
    }
  }

  remove(token: string): void {
    const rows = this.#rows.get(token)
    if (!rows) {
      throw new ConfigError(
        `textualInversions: expected a word that was learned (${this.names.join(', ') || 'there is none'}), got ` +
          JSON.stringify(token),
      )
    }
    for (const one of rows) one.dispose()
    this.#rows.delete(token)
  }

  /** A tower with every word, as its adapters are now. @param place its place among the towers */
  tower<M extends CLIPTextModel>(place: number, { tokenizer, model }: TextTower<M>): TextTower<M> {
    if (this.#rows.size === 0) return { tokenizer, model }
    if (!(tokenizer instanceof CLIPTokenizer)) {
      throw new UnsupportedError(
        'textualInversions: expected a CLIPTokenizer, which can learn words, got another; make the pipeline with one',
      )
    }
    let learned: { tokenizer: CLIPTokenizer; model: M } = { tokenizer, model }
    for (const [word, rows] of this.#rows) learned = addTextualInversion(learned, word, rows[place] as Tensor) // one each
    return learned
  }

  [Symbol.dispose](): void {
    for (const word of this.names) this.remove(word)
  }

  #unknown(word: string): string {
    const known = this.names.find((one) => one.toLowerCase() === word.toLowerCase())
    if (known === undefined) return word
    throw new ConfigError(`textualInversions: expected a word that is not learned yet, got ${word}; remove it first`)
  }

  /** Rows for each tower. @throws {CheckpointError} if they were learned on another model */
  #fitting(rows: readonly Tensor[]): readonly Tensor[] {
    const widths = this.#towers.map(({ model }) => model.config.hidden_size ?? 512)
    const own = rows.slice(-widths.length) // a refiner has the second encoder alone
    if (own.length === widths.length && own.every(({ shape }, i) => shape[1] === widths[i])) return own
    throw new CheckpointError(
      `textualInversions: expected vectors of ${widths.join(' and ')} numbers, as the text encoders have, got ` +
        `${rows.map(({ shape }) => shape[1]).join(' and ')}; the word was learned on another model`,
    )
  }

  #lacking(): never {
    throw new UnsupportedError('textualInversions: expected a pipeline with text encoders, got none')
  }
}
