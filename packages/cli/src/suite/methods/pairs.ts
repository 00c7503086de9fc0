import { constant, embedding, type Tensor, tensor } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { labelsOf, schedule } from '@antipode/digits'
import { drawNoise, type PairBatch, pairObjectiveOf, train } from '@antipode/npo'
import { pairObjectiveName } from '../trainings.ts'
import { inForm, type Method } from './context.ts'

/** Diffusion-DPO, Diffusion-KTO and the hinge loss: on pairs that the base sampled and the reward labelled. */
export const onPairs: Method = async function* (context) {
  const { device, training, seed, side, trained, frozen, shared, recipe: { training: { batch: rows } } } = context
  const pairs = training.variant === 'pairs' ? context.morePairs : context.pairs
  const objective = inForm(pairObjectiveOf<Tensor>(pairObjectiveName(training)), context)
  const shape = [pairs.labels.length, 1, side, side]
  using chosen = tensor(device, pairs.chosen, shape)
  using rejected = tensor(device, pairs.rejected, shape)
  yield* train<PairBatch<Tensor>>({
    ...shared,
    batch(step) {
      const random = rng(seed, { stream: step + 1 })
      const picked = Int32Array.from({ length: rows }, () => random.int(pairs.labels.length))
      const indices = constant(device, picked, [rows], { dtype: 'i32' })
      return {
        ...drawNoise(device, schedule, [rows, 1, side, side], { seed, step }),
        chosen: embedding(chosen, indices), rejected: embedding(rejected, indices),
        condition: labelsOf(device, Array.from(picked, (i) => pairs.labels[i] ?? 0)),
      }
    },
    loss: (batch) => objective.evaluate({ model: trained, reference: frozen }, batch),
    compile: true,
  })
}
