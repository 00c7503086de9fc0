import type { MethodName } from '../recipe.ts'
import type { Method } from './context.ts'
import { onRewardGradient } from './draft.ts'
import { onPairs } from './pairs.ts'
import { onItself } from './self.ts'
import { onBranches } from './spo.ts'

export { beginTraining, type SeedMaterial } from './context.ts'

/** How each method of the map trains. */
export const methods: Readonly<Record<MethodName, Method>> = {
  dpo: onPairs, kto: onPairs, spo: onBranches, draft: onRewardGradient, self: onItself,
}
