import { join } from 'node:path'
import { Device, evaluate } from '@antipode/core'
import { readSafetensors, type SafetensorsFile } from '@antipode/core/io'
import { processTime } from '../cpu-time.ts'
import { peerModule } from '../onnx/index.ts'
import type { UNetRun } from './beside.ts'
import { distance } from './run.ts'
import { loadUNet, read } from './train.ts'

// A process that holds one UNet and runs it when told to: `node unet-process.ts LIBRARY MODEL GOLDEN DTYPE`.

type Run = () => Promise<ArrayLike<number>>

async function antipode(model: string, file: SafetensorsFile, dtype: 'f16' | 'f32'): Promise<Run> {
  const device = await Device.request()
  const unet = await loadUNet(device, model, dtype)
  const [x, timesteps, context] = [
    await read(device, file, 'sample'),
    await read(device, file, 'timestep'),
    await read(device, file, 'context'),
  ]
  await evaluate(x, timesteps, context)
  return async () => {
    using y = unet.forward(x, timesteps, { context })
    return await y.data()
  }
}

async function onnxruntime(path: string, file: SafetensorsFile): Promise<Run> {
  const ort = await peerModule('onnxruntime-node/dist/index.js')
  const session = await ort.InferenceSession.create(path, { executionProviders: ['webgpu'], logSeverityLevel: 3 })
  const feeds = Object.fromEntries(
    await Promise.all(
      ['sample', 'timestep', 'context'].map(
        async (name) => [name, new ort.Tensor('float32', await file.readFloat32(name), file.tensors.get(name)?.shape ?? [])] as const,
      ),
    ),
  )
  return async () => (await session.run(feeds))['output']?.data as Float32Array // of a float32 output
}

const [library, model = '', golden = '', dtype] = process.argv.slice(2)
await using file = await readSafetensors(join(golden, 'golden.safetensors'))
const want = await file.readFloat32('output')
const run = library === 'antipode'
  ? await antipode(model, file, dtype === 'f16' ? 'f16' : 'f32')
  : await onnxruntime(join(golden, 'unet.onnx'), file)
process.on('message', () => {
  const [wall, cpu] = [performance.now(), processTime()]
  run().then(
    (got) => {
      const done = { wall: (performance.now() - wall) / 1000, cpu: (processTime() - cpu) / 1000 }
      process.send?.({ ...done, gap: distance(got, want).relative } satisfies UNetRun)
    },
    (error: unknown) => { process.send?.({ problem: String(error) }) },
  )
})
process.send?.('ready')
