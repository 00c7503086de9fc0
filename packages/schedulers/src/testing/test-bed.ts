import { float32Linear } from '../linear/index.ts'
import type { StepHooks } from '../prediction/index.ts'
import { currentTimestep, isDone, type Scheduler, type SchedulerState, type Steps } from '../run/index.ts'
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

/**
 * The loops of diffusers' tests:
 * - `plain`, and `all` with a step at every training timestep: from the sample as it is, which the model sees so too.
 * - `scaled`: from the sample times initNoiseSigma, and the model's scaled input also *becomes* the sample.
 * - `proper` and `edm`: from the sample times initNoiseSigma; only the model sees the scaled form, as in use.
 * - `twice`: the plain loop, and again from its result with what the solver remembers of the first.
 * - `skip3`: the plain loop without its first three steps.
 */
export type Loop = 'plain' | 'all' | 'scaled' | 'proper' | 'edm' | 'twice' | 'skip3'

/**
 * Faults of the reference, which a run here has only if it is made to:
 * - `zero slopes`: slopes of 0 stand for those that a late start lacks, since their weights are kept.
 * - `deaf start`: what the model says at pure noise is lost.
 */
export type Fault = 'zero slopes' | 'deaf start'

/** Runs a scheduler over the test-bed and counts the noise that it drew. */
export function runTestBed(
  scheduler: Scheduler,
  steps: Steps,
  options: { loop: Loop; startAt?: number | null; hooks?: StepHooks<Float32Array>; fault?: Fault },
): { sample: Float32Array; draws: number } {
  const { loop, startAt, hooks, fault } = options
  const normals = torchNormals(0)
  let draws = 0
  let state: SchedulerState<Float32Array> = scheduler.begin(steps, startAt ?? (loop === 'skip3' ? 3 : 0))
  if (fault === 'zero slopes') state = { ...state, history: Array.from({ length: state.step }, () => testSample.map(() => 0)) }
  const scales = loop === 'scaled' || loop === 'proper' || loop === 'edm'
  const spread = scales ? scheduler.initNoiseSigma(state.plan) : 1
  let sample = float32Linear.combine([[spread, testSample]])
  if (typeof startAt === 'number') sample = scheduler.addNoise(float32Linear, sample, testNoise, state)
  for (let round = 0; round < (loop === 'twice' ? 2 : 1); round++) {
    if (round > 0) state = { ...state, step: 0 }
    while (!isDone(state)) {
      const input = float32Linear.combine([[scales ? scheduler.inputScale(state) : 1, sample]])
      if (loop === 'scaled') sample = input
      const noise = scheduler.needsNoise(state) ? normals(count) : undefined
      if (noise !== undefined) draws++
      const deaf = fault === 'deaf start' && state.step === 0 && round === 0
      const prediction = testModel(input, deaf ? 0 : currentTimestep(state))
      const result = scheduler.step(float32Linear, state, prediction, sample, noise, hooks)
      state = result.state
      sample = result.sample
    }
  }
  return { sample, draws }
}
