import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constant, Device, evaluate, gradients, scope, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, placeholders, removeAdapter, setAdapter } from '@antipode/core/nn'
import { fillWithWaves, waveParameter, waves } from '@antipode/core/testing'
import { type UNet2DCondition, UNet2DConditionModel, type UNet2DConfig } from '@antipode/models'
import { diffusionDpo, negate, type NoiseDraw, type PairBatch } from '@antipode/npo'
import { ddpm, trainingLevel } from '@antipode/schedulers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { encodePng } from '../images/index.ts'
import { cases, pipelineOfCase } from '../testing/index.ts'
import components from '../testing/pipelines.golden.json' with { type: 'json' }
import golden from './preference.golden.json' with { type: 'json' }
import {
  attentionTargets, encodePairs, pairEncoder, type PairRows, type PreferenceOptions, trainPreference,
} from './index.ts'
import { networksOf } from './train-preference.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

type Case = typeof golden.cases[number]

interface GoldenGradient {
  readonly first3: readonly number[]
  readonly l1: number
  readonly f32MaxAbsDev: number
}

async function unetOf(kind: string): Promise<UNet2DConditionModel> {
  const { config } = kind === 'sdxl' ? components.components.unet_sdxl : components.components.unet
  const unet = await fillWithWaves(new UNet2DConditionModel(placeholders(device), config as UNet2DConfig))
  const tensors = new Map<string, Tensor>()
  for (const [name, { shape: [out = 1, inputs = 1] }] of unet.namedParameters()) {
    const layer = name.replace(/\.weight$/, '')
    if (!name.endsWith('.weight') || !attentionTargets.test(layer)) continue
    tensors.set(`${layer}.lora_A.weight`, waveParameter(device, `eta.${layer}.lora_A.weight`, [2, inputs]))
    tensors.set(`${layer}.lora_B.weight`, waveParameter(device, `eta.${layer}.lora_B.weight`, [out, 2]))
  }
  setAdapter(unet, 'eta', tensors, { alpha: 0.5 })
  return unet
}

function batchOf({ kind, prediction }: Case): PairBatch<UNet2DCondition> {
  const schedule = ddpm({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 }).schedule
  const levels = golden.timesteps.map((t) => trainingLevel(schedule, t))
  const latents = (name: string): Tensor => waves(device, `input.${name}`, [2, 4, 8, 8], 0, 1)
  const xl = kind === 'sdxl'
  return {
    predictionType: prediction as NoiseDraw['predictionType'],
    timesteps: constant(device, golden.timesteps),
    alpha: constant(device, levels.map(({ signal }) => signal), [2, 1, 1, 1]),
    sigma: constant(device, levels.map(({ noise }) => noise), [2, 1, 1, 1]),
    noise: latents('noise'), chosen: latents('chosen'), rejected: latents('rejected'),
    condition: {
      context: waves(device, 'input.context', [2, 5, xl ? 56 : 32], 0, 1),
      ...(xl ? { textEmbeds: waves(device, 'input.pooled', [2, 20], 0, 1), timeIds: tensor(
        device, [16, 24, 0, 3, 16, 16, 32, 16, 5, 0, 16, 16], [2, 6],
      ) } : {}),
    },
  }
}

// Made by tools/golden/preference_training.py in float64. Gradients are held to ten times what float32 costs torch, or
// to 1e-4 of their size, as all that differs is rounding: a logit is a difference of four errors of about ½, times β/2.
// Computed in float64 here too, they are within 3e-5 of their size.
test.each(golden.cases)('loss and gradients equal those of torch: $kind, $prediction, swapped $swapped', async (one) => {
  using unet = await unetOf(one.kind)
  await scope(async () => {
    const plain = diffusionDpo<UNet2DCondition>({ beta: one.beta })
    const objective = one.swapped ? negate(plain) : plain
    const { loss, metrics } = objective.evaluate(networksOf(unet, 'eta', true), batchOf(one))
    const parameters = adapterParameters(unet, 'eta')
    const grads = gradients(loss, [...parameters.values()])
    await evaluate(loss, ...Object.values(metrics), ...grads)
    expect(Math.abs(await loss.item() - one.loss)).toBeLessThan(5e-6)
    expect(Math.abs(await metrics['error']!.item() - one.error)).toBeLessThan(1e-6)
    expect(Math.abs(await metrics['referenceError']!.item() - one.referenceError)).toBeLessThan(1e-6)
    const wanted: Readonly<Record<string, GoldenGradient>> = one.gradients
    expect([...parameters.keys()].sort()).toEqual(Object.keys(wanted).sort())
    for (const [i, name] of [...parameters.keys()].entries()) {
      const { first3, l1, f32MaxAbsDev } = wanted[name]!
      const values = [...await grads[i]!.data()]
      const bound = Math.max(10 * f32MaxAbsDev, 1e-4 * l1 / values.length)
      for (const [k, want] of first3.entries()) expect(Math.abs(values[k]! - want), `${name}[${k}]`).toBeLessThan(bound)
      expect(Math.abs(values.reduce((sum, v) => sum + Math.abs(v), 0) - l1) / values.length, name).toBeLessThan(bound)
    }
  })
})

/** Pairs of plain colours, the first of which is lighter. */
async function* plainPairs(count: number): PairRows {
  const png = (value: number): Uint8Array<ArrayBuffer> =>
    encodePng({ width: 16, height: 16, data: new Uint8Array(768).fill(value) })
  for (let i = 0; i < count; i++) {
    const pictures = { chosen: png(128 + 10 * i), rejected: png(100 - 10 * i) }
    const prompt = `the ${i % 2 === 0 ? 'cat' : 'dog'}`
    yield { prompt, origin: `row ${i}`, identity: `${i}`, pictures: () => Promise.resolve(pictures) }
  }
}

test('a run learns, and goes on after an interruption to the same adapter, to the bit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-preference-'))
  try {
    using pipe = await pipelineOfCase(device, cases.find(({ name }) => name === 'sd_ddim_cfg')!)
    const parts = pipe.components
    const pairs = await encodePairs(
      pairEncoder(parts), plainPairs(5), { folder, models: 'tiny', resolution: 16, dtype: 'f32' },
    )
    const weightsOf = async (): Promise<number[]> => {
      const weights: number[] = []
      for (const t of adapterParameters(parts.unet, 'eta').values()) weights.push(...await t.data())
      return weights
    }
    /** Losses, and the weights after each step. */
    const run = async (
      name: string, options: Partial<PreferenceOptions>, stopAt = Infinity,
    ): Promise<{ losses: number[]; weights: number[][] }> => {
      const controller = new AbortController()
      const [losses, weights]: [number[], number[][]] = [[], []]
      const checkpoint = { path: join(folder, `${name}.safetensors`), every: 100, recipe: 'tiny' }
      const steps = trainPreference(parts, pairs, {
        adapter: 'eta', rank: 2, batch: 2, accumulate: 2, steps: 4, learningRate: 1e-2, warmup: 1,
        seed: 3, beta: 500, ...options, checkpoint, resume: existsSync(checkpoint.path), signal: controller.signal,
      })
      try {
        for await (const { step, loss } of steps) {
          losses.push(loss)
          weights.push(await weightsOf())
          if (step === stopAt) controller.abort(new Error('enough'))
        }
      } catch (error) {
        expect((error as Error).message).toBe('enough')
      }
      removeAdapter(parts.unet, 'eta')
      return { losses, weights }
    }
    const whole = await run('whole', {})
    expect(whole.losses).toHaveLength(4)
    // The adapter is nothing at first, and in the first step the learning rate is nothing too.
    for (const loss of whole.losses.slice(0, 2)) expect(loss).toBeCloseTo(Math.LN2, 5)
    expect(Math.abs(whole.losses[3]! - Math.LN2)).toBeGreaterThan(1e-4)
    const [first, rest] = [await run('parts', {}, 1), await run('parts', {})]
    expect([...first.losses, ...rest.losses]).toEqual(whole.losses)
    expect([...first.weights, ...rest.weights]).toEqual(whole.weights)
    // The opposite preference pulls the other way: from the same adapter, Adam's first step has the same size and the
    // other sign.
    const npo = await run('npo', { steps: 2, negated: true })
    expect(npo.weights[0]).toEqual(whole.weights[0])
    const [eta, delta] = [whole.weights[1]!, npo.weights[1]!].map(
      (after) => after.map((v, i) => v - whole.weights[0]![i]!),
    ) as [number[], number[]]
    expect(eta.some((v) => Math.abs(v) > 1e-3)).toBe(true)
    expect(eta.reduce((most, v, i) => Math.max(most, Math.abs(v + delta[i]!)), 0)).toBeLessThan(1e-3)
    // Any objective has its own loss to start with; samples of pairs may be learnt one by one.
    const kto = await run('kto', { steps: 2, objective: 'kto', accumulate: 1 })
    expect(kto.losses[0]).toBeCloseTo(0.5, 5)
    expect(kto.weights[1]).not.toEqual(kto.weights[0])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
