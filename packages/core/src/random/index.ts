export { philox4x32, philoxBits, philoxNormal, philoxUniform, type PhiloxOptions, type Word4 } from './philox.ts'
export { rng, Rng, type RngState } from './rng.ts'
export { TorchGenerator } from './torch-generator.ts'
export { checkStream, splitSeed } from './seed.ts'
