import type { PairObjectiveName } from '@antipode/npo'
import type { FormName, MethodName, SuiteRecipe, WeightsName } from './recipe.ts'

/** One training of a seed, as plain data. */
export interface Training {
  readonly id: string
  readonly method: MethodName
  readonly form: FormName
  readonly weights: WeightsName
  /** What one thing is changed of, if it is a variant of `dpo`. */
  readonly variant?: 'hinge' | 'long' | 'pairs'
}

/** Lengths by method and form, as `choose` decided. */
export type Lengths = Readonly<Record<string, number>>

const methods: readonly MethodName[] = ['dpo', 'kto', 'spo', 'draft']
const forms: readonly FormName[] = ['eta', 'swap', 'guided']

/** All trainings of the map on weights of one kind. Self-NPO holds no preference: it has one form, and no η. */
export function trainingsOf(weights: WeightsName): Training[] {
  const preferred = methods.flatMap((method) => forms.map((form) => training(method, form, weights)))
  return [...preferred, training('self', 'swap', weights)]
}

/** What might make δ more than a reversed η, one change of Diffusion-DPO's δ each. */
export const variants: readonly Training[] = (['hinge', 'long', 'pairs'] as const).map((variant) => (
  { ...training('dpo', 'swap', 'lora'), id: `dpo-swap-lora-${variant}`, variant }
))

function training(method: MethodName, form: FormName, weights: WeightsName): Training {
  return { id: `${method}-${form}-${weights}`, method, form, weights }
}

/** The η that a negative stands beside; Diffusion-DPO's for Self-NPO, which has none. */
export function etaOf({ method, weights }: Training): string {
  return `${method === 'self' ? 'dpo' : method}-eta-${weights}`
}

/** Under which name a length is chosen. It is chosen with LoRA, and full weights are trained as long. */
export function lengthName({ method, form }: Pick<Training, 'method' | 'form'>): string {
  return `${method}-${form}`
}

/** Steps of a training. */
export function stepsOf(one: Training, lengths: Lengths, recipe: SuiteRecipe): number {
  return one.variant === 'long' ? recipe.long : lengths[lengthName(one)] ?? recipe.lengths[0]!
}

/** The objective on pairs of a method that has them. */
export function pairObjectiveName({ method, variant }: Training): PairObjectiveName {
  return variant === 'hinge' ? 'hinge' : method === 'kto' ? 'kto' : 'dpo'
}
