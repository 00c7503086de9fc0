import type { Prepared, Problem, Runner, Timing } from '../workload.ts'
import { repeatable } from './graphs.ts'
import { encodeModel } from './model.ts'
import { type Ort, type OrtSession, type OrtTensor, peerModule, peerVersion } from './ort.ts'
import { repetitions, slope, timed } from './slope.ts'

/**
 * onnxruntime's WebGPU execution provider for Node, on a Dawn of its own. Its inputs and outputs go through the memory of the CPU
 * in each run, so an operation's time is the slope over graphs of different lengths.
 */
export async function openNode(): Promise<Runner> {
  const ort = await peerModule('onnxruntime-node/dist/index.js')
  return {
    name: 'onnxruntime-node', version: peerVersion('onnxruntime-node'), adapter: '', software: false,
    prepare: (problem) => prepare(ort, problem),
  }
}

async function prepare(ort: Ort, problem: Problem): Promise<Prepared> {
  const { input, period, graph } = repeatable(problem)
  const feeds = { x: new ort.Tensor('float32', input.data, input.shape) }
  const session = (count: number): Promise<OrtSession> =>
    ort.InferenceSession.create(encodeModel(graph(count)), { executionProviders: ['webgpu'], graphOptimizationLevel: 'all', logSeverityLevel: 3 })
  const unit = problem.repeats ?? 1
  const whole = await session(unit)
  let result: OrtTensor | undefined
  let pair: { readonly one: OrtSession; readonly many: OrtSession; readonly count: number } | undefined

  const measure = async ({ one, many, count }: NonNullable<typeof pair>): Promise<Timing> => {
    const long = await timed(() => many.run(feeds))
    return slope(long, await timed(() => one.run(feeds)), count)
  }
  /** Graphs of one and of so many operations that their difference can be told, both warmed up. */
  const makePair = async (): Promise<NonNullable<typeof pair>> => {
    if (unit > 1) {
      const one = await session(1)
      await one.run(feeds)
      return { one, many: whole, count: unit }
    }
    const few = { one: whole, many: await session(1 + period), count: 1 + period }
    await measure(few)
    const count = repetitions((await measure(few)).wall, period)
    if (count === few.count) return few
    await few.many.release()
    const pair = { one: whole, many: await session(count), count }
    await measure(pair)
    return pair
  }
  return {
    async run() {
      result = (await whole.run(feeds))['y']
    },
    wait: () => Promise.resolve(),
    read: () => Promise.resolve([result?.data as Float32Array]),
    async time() {
      pair ??= await makePair()
      const { wall, cpu } = await measure(pair)
      return { wall: wall * unit, cpu: cpu * unit }
    },
  }
}
