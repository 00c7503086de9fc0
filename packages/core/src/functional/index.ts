export { type AttentionOptions, logSigmoid, logSoftmax, logSumExp, scaledDotProductAttention, softmax } from './attention.ts'
export { avgPool2d, conv2d, type Conv2dOptions, linear, upsampleNearest2d } from './conv.ts'
export { groupNorm, layerNorm, type NormOptions, rmsNorm } from './norm.ts'
export { argmax, concat, embedding, linearCombination, maximum, minimum, pad, split, stack, topK, where } from './shape.ts'
