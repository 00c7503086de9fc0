export { packedConv2d, packedConv2dInputGrad, packedConv2dWeightGrad } from './forms.ts'
