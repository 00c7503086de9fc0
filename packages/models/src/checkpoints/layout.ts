// How diffusers lays out a pipeline in a folder.

/** The library that a class is of, in `model_index.json`. */
export function libraryOf(className: string): 'diffusers' | 'transformers' {
  return className.startsWith('CLIP') ? 'transformers' : 'diffusers'
}

/** What the configuration of a component is called, by its class. */
export function configFile(className: string): string {
  if (className.endsWith('Scheduler')) return 'scheduler_config.json'
  if (/Tokenizer(Fast)?$/.test(className)) return 'tokenizer_config.json'
  return /(Extractor|Processor)$/.test(className) ? 'preprocessor_config.json' : 'config.json'
}

/** What weights are called, by the library of their class. */
export const weightStems = { diffusers: 'diffusion_pytorch_model', transformers: 'model' } as const

/** Texts that a tokenizer has beside its configuration, as far as it has them. */
export const tokenizerFiles = ['tokenizer.json', 'vocab.json', 'merges.txt', 'special_tokens_map.json'] as const
