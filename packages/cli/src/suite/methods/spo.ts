import { randn, type Tensor } from '@antipode/core'
import { digitsInTurn, digitsScheduleConfig, labelsOf } from '@antipode/digits'
import { branchingPairs, spo, trainOnline } from '@antipode/npo'
import { ddim } from '@antipode/schedulers'
import { inForm, type Method } from './context.ts'

/** Batches that a round of branching gives at least: a pair for each step after the first that branches. */
const perRound = 5
/** Runs of a round at most. */
const attempts = 4

/** SPO: pairs of steps that branch from one sample, judged by the reward of the clean images that they lead to. */
export const onBranches: Method = (context) => {
  const { device, seed, side, trained, frozen, sampler, reward, shared, recipe } = context
  const { pairs: { temperature }, training: { batch: rows, runSteps } } = recipe
  const scheduler = ddim({ ...digitsScheduleConfig, eta: 1, clipSample: false, setAlphaToOne: false, stepsOffset: 1 })
  const objective = inForm(spo<Tensor>(), context)
  const condition = labelsOf(device, digitsInTurn(rows))
  return trainOnline({
    ...shared, seed, batches: perRound,
    // A step on which a model that gets worse makes candidates of one worth gives no pair: another run makes up for it.
    async *collect(round) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const stream = 2 ** 30 + round + attempt * 2 ** 20
        const noise = randn(device, [rows, 1, side, side], { seed, stream })
        yield* branchingPairs(sampler, scheduler, noise, condition, {
          steps: runSteps, seed: seed * 1000 + round + attempt * 2 ** 20, threshold: () => 0,
          score: ({ x0, condition: classes }) => reward(x0.clamp(-1, 1), classes).div(temperature),
        })
      }
    },
    loss: (batch) => objective.evaluate({ model: trained, reference: frozen }, batch),
  })
}
