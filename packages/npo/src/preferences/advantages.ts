import { ConfigError, NumericError } from '@antipode/core'
import { checkOptions, flag, oneOf, required, whole } from '@antipode/core/options'

/** Whose constants: what is added to the deviation, and what is taken off the count in it. */
const rules = {
  ddpo: { added: 1e-6, freedom: 0 }, 'flow-grpo': { added: 1e-4, freedom: 0 }, 'dance-grpo': { added: 1e-8, freedom: 1 },
} as const

/** Options of {@link groupAdvantages}. */
export interface GroupAdvantagesOptions {
  /** Constants of 'ddpo' (population deviation + 1e-6), 'flow-grpo' (+ 1e-4) or 'dance-grpo' (n − 1, + 1e-8). */
  readonly rule: keyof typeof rules
  /** Whether the deviation is that of the whole batch and not of each group; false by default. */
  readonly globalStd?: boolean
}

/**
 * How much better each reward is than others of its prompt, `(R − mean)/(std + ε)` by group. A group of equal rewards
 * has advantages of exactly 0, and rewards of the other sign have advantages of the other sign.
 * @param groups what each reward belongs to, such as its prompt
 * @throws {ConfigError} if an option is unknown or outside its range, or there is not one group a reward
 * @throws {NumericError} if a reward is not finite
 * Sources: kvablack/ddpo-pytorch, yifan123/flow_grpo and XueZeyue/DanceGRPO; `globalStd` is Flow-GRPO's.
 */
export function groupAdvantages(
  rewards: ArrayLike<number>, groups: readonly unknown[], options: GroupAdvantagesOptions,
): Float64Array {
  checkOptions('groupAdvantages', options, { rule: required(oneOf(...Object.keys(rules))), globalStd: flag })
  const values = checkedRewards('groupAdvantages', rewards, groups)
  const { added, freedom } = rules[options.rule]
  const members = new Map<unknown, number[]>()
  for (const [i, group] of groups.entries()) members.set(group, [...members.get(group) ?? [], i])
  const whole = options.globalStd ? momentsOf(values, freedom).deviation : undefined
  const advantages = new Float64Array(values.length)
  for (const rows of members.values()) {
    const { centred, deviation } = momentsOf(rows.map((i) => values[i]!), freedom)
    for (const [k, i] of rows.entries()) advantages[i] = centred[k]! / ((whole ?? deviation) + added)
  }
  return advantages
}

/** Rewards of prompts over several rounds, and advantages by them. */
export interface PromptStatistics {
  /** Takes rewards in, and gives their advantages. Errors as {@link groupAdvantages}. */
  update(prompts: readonly string[], rewards: ArrayLike<number>): Float64Array
  /** Plain data, to go on with later. */
  state(): Readonly<Record<string, readonly number[]>>
}

/** Options of {@link promptStatistics}. */
export interface PromptStatisticsOptions {
  /** Rewards remembered of each prompt, whole, 1 or more; 32 by default. */
  readonly size?: number
  /** Rewards of a prompt from which it counts on its own, whole, 1 or more; 16 by default. */
  readonly least?: number
}

/**
 * DDPO's advantages, `(R − mean)/(std + 10⁻⁶)` over the last rewards of the same prompt; over this round's rewards of
 * all prompts as long as a prompt has few.
 * @param state of an earlier one, to go on from
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: kvablack/ddpo-pytorch, stat_tracking.py.
 */
export function promptStatistics(
  options: PromptStatisticsOptions = {}, state: Readonly<Record<string, readonly number[]>> = {},
): PromptStatistics {
  checkOptions('promptStatistics', options, { size: whole(1), least: whole(1) })
  const { size = 32, least = 16 } = options
  const known = new Map(Object.entries(state))
  return {
    update(prompts, rewards) {
      const values = checkedRewards('promptStatistics', rewards, prompts)
      const all = momentsOf(values, 0)
      for (const prompt of new Set(prompts)) {
        const own = values.filter((_, i) => prompts[i] === prompt)
        known.set(prompt, [...known.get(prompt) ?? [], ...own].slice(-size))
      }
      return Float64Array.from(values, (value, i) => {
        const own = known.get(prompts[i]!) ?? []
        const { first, mean, deviation } = own.length < least ? all : momentsOf(own, 0)
        return (value - first - mean) / (deviation + rules.ddpo.added)
      })
    },
    state: () => Object.fromEntries(known),
  }
}

/** Of distances from the first, which are exactly 0 where all are equal. */
function momentsOf(
  values: readonly number[], freedom: number,
): { readonly first: number; readonly mean: number; readonly centred: readonly number[]; readonly deviation: number } {
  const [first = 0] = values
  const moved = values.map((v) => v - first)
  const mean = moved.reduce((sum, v) => sum + v, 0) / values.length
  const centred = moved.map((v) => v - mean)
  const squares = centred.reduce((sum, v) => sum + v * v, 0)
  return { first, mean, centred, deviation: Math.sqrt(squares / Math.max(1, values.length - freedom)) }
}

function checkedRewards(where: string, rewards: ArrayLike<number>, groups: readonly unknown[]): readonly number[] {
  const values = Array.from(rewards)
  if (values.length === 0 || values.length !== groups.length) {
    const got = `${values.length} and ${groups.length}`
    throw new ConfigError(`${where}: expected rewards and as many groups, got ${got}; pass the prompt of each reward`)
  }
  const bad = values.findIndex((v) => !Number.isFinite(v))
  if (bad < 0) return values
  throw new NumericError(
    `${where}: expected finite rewards, got ${values[bad]} for sample ${bad}; look at what the model samples`,
    { where: 'reward' },
  )
}
