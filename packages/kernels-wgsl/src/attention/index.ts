export { attention } from './attention.ts'
export { attentionGradKV, attentionGradQ } from './attention-grad.ts'
export { type AttentionAttrs, type AttentionLayout, checkAttention, maxHeadChannels } from './sizes.ts'
