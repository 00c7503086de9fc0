export { attention } from './attention.ts'
export { attentionGradKV, attentionGradQ } from './attention-grad.ts'
export type { AttentionAttrs, AttentionLayout } from './sizes.ts'
