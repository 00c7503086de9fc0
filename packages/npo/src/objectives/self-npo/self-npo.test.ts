import { constant, embedding, full, gradients, randn, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { currentTimestep, ddim, isDone } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import { autoguidance } from '../../guidance/index.ts'
import { selfRollouts } from '../../preferences/index.ts'
import { drawNoise } from '../../process/index.ts'
import { tensorLinear } from '../../sampling/index.ts'
import { levelAt } from '../../transitions/index.ts'
import { denoising } from '../denoising.ts'
import { selfNpo } from './self-npo.ts'

const host = new FakeHost()
const scheduler = ddim({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, clipSample: false, setAlphaToOne: false })
const { schedule } = scheduler
if (!schedule) throw new Error('expected DDIM to have a schedule')
/** Squares of the shares of data by timestep. */
const alphaBars = tensor(host, Array.from({ length: 1000 }, (_, t) => levelAt(scheduler, t).signal ** 2), [1000, 1])

const count = 16
const classes = constant(host, Array.from({ length: count }, (_, i) => (i % 2 ? 1 : -1)), [count, 1])
/** The truth: points of a class, −1 or 1, lie there on average, and 0.3 from there. */
const dataOf = (seed: number): Tensor => classes.add(randn(host, [count, 1], { seed }).mul(0.3))

/** The exact ε of normal data of mean `centre·c` and that variance, as a model whose parameter is `centre`. */
const knows = (centre: Tensor): Denoiser<Tensor> => (x, t, c) => {
  const share = embedding(alphaBars, t.to('i32')) // [B, 1]
  const [alpha, sigma] = [share.sqrt(), share.neg().add(1).sqrt()]
  return x.sub(centre.mul(c).mul(alpha)).mul(sigma).div(share.mul(0.3 ** 2).add(sigma.square()))
}

const numberOf = (t: Tensor): number => interpret([t])[0]![0]!

/** The denoising error of a model on data. */
function errorOf(model: Denoiser<Tensor>): number {
  const draw = drawNoise(host, schedule!, [count, 1], { seed: 7, step: 0 })
  return numberOf(denoising<Tensor>().evaluate({ model }, { ...draw, samples: dataOf(8), condition: classes }).loss)
}

/** How far samples lie from the middle of their class on average, by DDIM. */
function distanceOf(model: Denoiser<Tensor>): number {
  let state = scheduler.begin<Tensor>(10)
  let x = randn(host, [count, 1], { seed: 9 })
  while (!isDone(state)) {
    const next = scheduler.step(tensorLinear, state, model(x, full(host, [count], currentTimestep(state)), classes), x)
    ;[x, state] = [next.sample, next.state]
  }
  return numberOf(x.mul(classes).mean().sub(1).abs())
}

test('a model that learns from its own runs gets worse, and guidance away from it leads towards the data', async () => {
  // What was trained too little: it puts the classes at ±0.7.
  const base = knows(tensor(host, [0.7]))
  let [centre, average] = [0.7, 0.7]
  for (let step = 0; step < 12; step++) {
    const [own, mean] = [tensor(host, [centre]), tensor(host, [average])]
    const { batch, release } = selfRollouts<Tensor>(host, {
      teacher: knows(mean), unconditional: (c) => c.mul(0), scheduler, seed: 1,
      samples: (at) => ({ samples: dataOf(at), condition: classes }),
    })
    const runs = await batch(step)
    const { loss } = selfNpo<Tensor>().evaluate({ model: knows(own) }, runs)
    centre -= 0.03 * interpret(gradients(loss, [own]))[0]![0]!
    average = 0.9 * average + 0.1 * centre
    release(runs)
  }
  const [truth, worse] = [knows(tensor(host, [1])), knows(tensor(host, [centre]))]
  expect(errorOf(truth)).toBeLessThan(errorOf(base))
  expect(errorOf(base)).toBeLessThan(errorOf(worse))
  const [before, alone, guided] = [base, worse, autoguidance({ model: base, worse, scale: 2 })].map(distanceOf) as [number, number, number]
  expect(alone).toBeGreaterThan(before)
  expect(guided).toBeLessThan(before / 2)
  // With itself for the worse one nothing changes.
  expect(distanceOf(autoguidance({ model: base, worse: base, scale: 2 }))).toBeCloseTo(before, 12)
})
