import { join } from 'node:path'
import { FakeHost } from '@antipode/core/testing'
import { type AdapterFormat, convertAdapter, convertCheckpoint, type FileDType, openCheckpoint } from '@antipode/models'
import type { PhaseHandle, Progress } from '../progress/index.ts'

/** Options of {@link runConvert}. */
export interface ConvertCommandOptions {
  readonly source: string
  readonly target: string
  readonly dtype?: FileDType
  /** Of an adapter. */
  readonly format?: AdapterFormat
  /** The checkpoint that an adapter is for. */
  readonly model?: string
  readonly variant?: string
  readonly tokenizer?: string
  readonly predictionType?: 'epsilon' | 'v_prediction'
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** What was written. */
export interface ConvertResult {
  readonly path: string
  readonly layout: string
  /** What the new layout has no place for. */
  readonly lost: readonly string[]
}

/**
 * Writes a checkpoint or an adapter in another layout, format or element type. It needs no GPU: numbers are moved about,
 * and the host that plans are tested on does that exactly.
 */
export async function runConvert(options: ConvertCommandOptions): Promise<ConvertResult> {
  return options.format === undefined ? await checkpoint(options) : await adapter(options, options.format)
}

async function checkpoint(
  { source, target, dtype, variant, tokenizer, predictionType, progress, signal }: ConvertCommandOptions,
): Promise<ConvertResult> {
  let phase: PhaseHandle | undefined
  const { layout, tensors, lost } = await convertCheckpoint(new FakeHost(), source, target, {
    signal,
    ...(dtype === undefined ? {} : { dtype }),
    ...(variant === undefined ? {} : { variant }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(predictionType === undefined ? {} : { predictionType }),
    onTensor: ({ name, done, total }) => {
      phase ??= progress.phase('converting', total)
      phase.advance(done === 0 ? 0 : 1, name)
    },
  })
  phase?.done(`${tensors} tensors`)
  return { path: target, layout, lost }
}

async function adapter(
  { source, target, dtype, model, variant, signal }: ConvertCommandOptions,
  format: AdapterFormat,
): Promise<ConvertResult> {
  // PEFT reads folders, by the name of the file in them.
  const path = /\.safetensors$/i.test(target) ? target : join(target, 'adapter_model.safetensors')
  const host = new FakeHost()
  const convert = { format, signal, ...(dtype === undefined ? {} : { dtype }) }
  if (model === undefined) await convertAdapter(host, source, path, convert)
  else {
    await using base = await openCheckpoint(model, { signal, ...(variant === undefined ? {} : { variant }) })
    await convertAdapter(host, source, path, { ...convert, checkpoint: base })
  }
  return { path, layout: `an adapter as ${format} has it`, lost: [] }
}

/** What was written, as a reader takes it in. */
export function convertText({ path, layout, lost }: ConvertResult): string {
  return [`${path} is ${layout}`, ...lost.map((one) => `it has no place for ${one}`), ''].join('\n')
}
