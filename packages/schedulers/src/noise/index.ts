export { perItem, type NoiseDraw, type NoiseStream } from './stream.ts'
export { philox, type PhiloxOptions, type PhiloxState } from './philox.ts'
export { torchCpu, type TorchCpuState } from './torch-cpu.ts'
