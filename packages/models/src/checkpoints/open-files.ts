import { type ReadSafetensorsOptions, readTensors, type SafetensorsSource, type TensorFile } from '@antipode/core/io'

/** Files that are open until all of them are closed. */
export class OpenFiles implements AsyncDisposable {
  readonly #options: ReadSafetensorsOptions
  readonly #open: TensorFile[] = []

  constructor(options: ReadSafetensorsOptions) {
    this.#options = options
  }

  /** @param shards where the shards are, if the source is an index */
  async open(source: SafetensorsSource, shards?: ReadSafetensorsOptions['shards']): Promise<TensorFile> {
    const file = await readTensors(source, shards ? { ...this.#options, shards } : this.#options)
    this.#open.push(file)
    return file
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.splice(0).map((file) => file.close()))
  }
}
