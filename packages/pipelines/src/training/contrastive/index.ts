export type { ClipModels, TrainedClip } from './clip-models.ts'
export { contrastiveLoss, type ContrastiveLossOptions } from './contrastive-loss.ts'
export { retrieval, type RetrievalOptions } from './retrieval.ts'
export { clipParameters, trainClip, type TrainClipOptions } from './train-clip.ts'
