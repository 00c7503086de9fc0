import type { Mixture } from './evaluate.ts'
import { etaOf, type Training } from './trainings.ts'

/** Where a negative is used: on the base; beside η; or beside η and added to it. */
export type SettingName = 'base' | 'tuned' | 'merged'

/** An arm of the map. */
export interface SuiteArm extends Mixture {
  readonly id: string
}

/** A negative in a setting, and the arms that it is held against. */
export interface Question {
  readonly training: Training
  readonly setting: SettingName
  readonly arm: string
  /** Guidance away from η instead, as long as the δ of the same method by swap. */
  readonly reversed: string
  /** The same positive weights on both branches. */
  readonly plain: string
}

const settings: readonly SettingName[] = ['base', 'tuned', 'merged']

/** Name of −η, as long as δ. */
export function reversedName(eta: string): string {
  return `reversed-${eta}`
}

/** All questions of some negatives. */
export function questionsOf(negatives: readonly Training[]): Question[] {
  return negatives.flatMap((training) => settings.map((setting) => {
    const eta = etaOf(training)
    return {
      training, setting, arm: `${setting}/${training.id}`, reversed: `${setting}/${reversedName(eta)}`,
      plain: setting === 'base' ? 'base' : `tuned/${eta}`,
    }
  }))
}

/** The arms of some questions, each once. */
export function armsOf(questions: readonly Question[]): SuiteArm[] {
  const arms = new Map<string, SuiteArm>()
  const add = (id: string, positive: Mixture['positive'], negative: Mixture['negative']): void => { arms.set(id, { id, positive, negative }) }
  for (const { training, setting, arm, reversed, plain } of questions) {
    const eta = etaOf(training)
    const positive = setting === 'base' ? {} : { [eta]: 1 }
    const kept = setting === 'merged' ? { [eta]: 1 } : {}
    add(plain, positive, positive)
    add(reversed, positive, { ...kept, [reversedName(eta)]: 1 })
    add(arm, positive, { ...kept, [training.id]: 1 })
  }
  return [...arms.values()]
}
