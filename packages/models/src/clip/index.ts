export { CLIPModel } from './clip-model.ts'
export type { CLIPTextConfig, CLIPVisionConfig } from './config.ts'
export { CLIPTextModel, CLIPTextModelWithProjection, type CLIPTextOutput } from './text-model.ts'
export { CLIPVisionModelWithProjection, type CLIPVisionOutput } from './vision-model.ts'
