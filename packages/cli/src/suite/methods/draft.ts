import { digitsInTurn, labelsOf, pixelLimit, solver } from '@antipode/digits'
import { draft, rewardRollouts, train } from '@antipode/npo'
import { inForm, type Method } from './context.ts'

/** DRaFT-1: the gradient of the reward through the last step of sampling. */
export const onRewardGradient: Method = (context) => {
  const { device, seed, side, trained, sampler, reward, shared, recipe: { training: { batch: rows, runSteps } } } = context
  const x0 = <T extends { clamp(lo: number, hi: number): T }>(x: T): T => x.clamp(-pixelLimit, pixelLimit)
  const objective = inForm(draft({ scheduler: solver, reward, x0 }), context)
  const labels = digitsInTurn(rows + 10)
  return train({
    ...shared,
    ...rewardRollouts(device, {
      model: sampler, scheduler: solver, steps: runSteps, shape: [rows, 1, side, side], x0, seed, graded: 1,
      condition: (step) => labelsOf(device, labels.subarray(step % 10, step % 10 + rows)),
    }),
    loss: (batch) => objective.evaluate({ model: trained }, batch),
  })
}
