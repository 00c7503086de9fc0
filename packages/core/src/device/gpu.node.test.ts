import { expect, test } from 'vitest'
import { dawnFlags } from './gpu.node.ts'

test('features that a program asks of Dawn join our own, and other options pass', () => {
  expect(dawnFlags(['backend=null', 'enable-dawn-features=dump_shaders', 'verbose'])).toEqual([
    'disable-dawn-features=timestamp_quantization',
    'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,dump_shaders',
    'backend=null', 'verbose',
  ])
})
