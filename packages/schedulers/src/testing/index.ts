export { goldenTests, type Golden } from './golden.ts'
export { convergenceOrder, solverProperties, type Predict } from './properties.ts'
export { testModel } from './test-bed.ts'
export { torchNormals } from './torch-random.ts'
