import { float32Linear } from '../linear.ts'
import { currentTimestep, isDone, type Scheduler, type StepHooks } from '../scheduler.ts'
import { torchNormals } from './torch-random.ts'

// The closed-form test-bed of diffusers' scheduler tests: a sample, a noise and a model that need no files.

const count = 768

/** i/768 over [c=3, h=8, w=8, b=4], read as [b, c, h, w]. */
const testSample: Float32Array = permuted((i) => i / count)

/** The same values in reverse order. */
const testNoise: Float32Array = permuted((i) => (count - 1 - i) / count)

function permuted(value: (i: number) => number): Float32Array {
  // b c h w -> the index of c h w b
  return Float32Array.from({ length: count }, (_, i) => value((i % 192) * 4 + Math.floor(i / 192)))
}

/** The stand-in for a trained model: x·t/(t + 1). */
export function testModel(x: Float32Array, timestep: number): Float32Array {
  const factor = timestep / (timestep + 1)
  return x.map((value) => value * factor)
}

/** How the loop treats the scaled model input. */
export type Loop = 'plain' | 'scaled' | 'proper'

/** Runs a scheduler over the test-bed and counts the noise that it drew. */
export function runTestBed(
  scheduler: Scheduler,
  steps: number,
  options: { loop: Loop; startAt?: number | null; hooks?: StepHooks<Float32Array> },
): { sample: Float32Array; draws: number } {
  const normals = torchNormals(0)
  let draws = 0
  let state = scheduler.begin<Float32Array>(steps, options.startAt ?? 0)
  const spread = options.loop === 'plain' ? 1 : scheduler.initNoiseSigma(state.plan)
  let sample = float32Linear.combine([[spread, testSample]])
  if (typeof options.startAt === 'number') sample = scheduler.addNoise(float32Linear, sample, testNoise, state)
  while (!isDone(state)) {
    const input = float32Linear.combine([[scheduler.inputScale(state), sample]])
    if (options.loop === 'scaled') sample = input
    const noise = scheduler.needsNoise(state) ? normals(count) : undefined
    if (noise !== undefined) draws++
    const prediction = testModel(input, currentTimestep(state))
    const result = scheduler.step(float32Linear, state, prediction, sample, noise, options.hooks)
    state = result.state
    sample = result.sample
  }
  return { sample, draws }
}
