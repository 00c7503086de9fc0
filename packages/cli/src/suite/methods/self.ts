import { constant, embedding, type Tensor, tensor } from '@antipode/core'
import { removeAdapter, setAdapter } from '@antipode/core/nn'
import { ema } from '@antipode/core/optim'
import { rng } from '@antipode/core/random'
import { digitsDenoiser, digitsScheduleConfig, labelsOf, unconditional } from '@antipode/digits'
import { type Denoiser, offsets, selfNpo, selfRollouts, train } from '@antipode/npo'
import { ddim } from '@antipode/schedulers'
import type { Method } from './context.ts'

/** Self-NPO: the clean estimates that the model's own average makes a few steps into a run; no preference enters. */
export const onItself: Method = async function* (context) {
  const { device, unet, training: { id }, seed, side, trained, frozen, shared, pairs, recipe: { training: { batch: rows, teacherDecay } } } = context
  const scheduler = ddim({ ...digitsScheduleConfig, clipSample: false, setAlphaToOne: false })
  // Before the first update the average is the base.
  const average = ema(teacherDecay)
  const averaged = `${id}-average`
  let teacher: Denoiser<Tensor> = frozen
  using samples = tensor(device, pairs.chosen, [pairs.labels.length, 1, side, side])
  const objective = selfNpo<Tensor>()
  try {
    for await (const step of train({
      ...shared, ema: average,
      ...selfRollouts(device, {
        teacher: (...call) => teacher(...call), unconditional, scheduler, seed,
        samples(index) {
          const random = rng(seed, { stream: 2 ** 29 + index })
          const picked = Int32Array.from({ length: rows }, () => random.int(pairs.labels.length))
          return {
            samples: embedding(samples, constant(device, picked, [rows], { dtype: 'i32' })),
            condition: labelsOf(device, Array.from(picked, (i) => pairs.labels[i] ?? 0)),
          }
        },
      }),
      loss: (batch) => objective.evaluate({ model: trained }, batch),
    })) {
      if (step.step === 0) {
        setAdapter(unet, averaged, average.averages())
        teacher = digitsDenoiser(unet.with(offsets({ [averaged]: 1 })))
      }
      yield step
    }
  } finally {
    if (teacher === frozen) average[Symbol.dispose]()
    else removeAdapter(unet, averaged)
  }
}
