import type { Tensor } from '@antipode/core'
import { fineTuning } from './index.ts'
import { alone, exchanged, pairsFrom, testObjective } from './testing/test-objective.ts'

// Its cases are those of plain denoising.
testObjective('fine-tuning', {
  objective: fineTuning<Tensor>(), networks: alone, batch: pairsFrom, opposite: exchanged, unread: ['rejected'],
  refused: [],
})
