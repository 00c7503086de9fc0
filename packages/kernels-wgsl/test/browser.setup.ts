import { softwareTarget } from './target.ts'

const adapter = await navigator.gpu?.requestAdapter()
if (!adapter) throw new Error('no WebGPU adapter in this browser: start Chromium with --enable-unsafe-webgpu')
globalThis.kernelTestHost = await softwareTarget(adapter)
