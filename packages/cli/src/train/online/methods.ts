import { randn, zeros } from '@antipode/core'
import { removeAdapter, setAdapter } from '@antipode/core/nn'
import { ema } from '@antipode/core/optim'
import {
  alignProp, belowStart, branchingPairs, type Condition, ddpo, type Denoiser, draft, draftLv, groupAdvantages, negate,
  type OnlineOptions, policyRollouts, type PreferenceObjective, randomTruncation, refl, type Reward, renoisedRollouts,
  rewardRollouts, selfNpo, selfRollouts, spo, train, type TrainOptions, trainOnline, type TrainStep,
} from '@antipode/npo'
import type { Scheduler } from '@antipode/schedulers'
import type { OnlineMethod, OnlineSettings } from '../../train-settings/index.ts'
import type { OnlineTask } from './task.ts'

/** What all methods give `train` alike. */
type Shared = Pick<
  TrainOptions<never>,
  'parameters' | 'optimizer' | 'steps' | 'schedule' | 'clipNorm' | 'checkpoint' | 'resume' | 'signal' | 'lossScaler' | 'ema'
>

/** A run of a method. */
export interface OnlineRun<C extends Condition> {
  readonly task: OnlineTask<C>
  readonly settings: OnlineSettings
  /** Name of the adapter that learns. */
  readonly adapter: string
  /** The model that learns, and as it was, both under guidance if that is asked for. */
  readonly tuned: Denoiser<C>
  readonly frozen: Denoiser<C>
  /** DDIM without noise, and with that of DDPM. */
  readonly sampler: Scheduler
  readonly policy: Scheduler
  readonly shared: Shared
}

/** How each method trains, step by step. */
export const methods: Readonly<Record<OnlineMethod, <C extends Condition>(run: OnlineRun<C>) => AsyncIterable<TrainStep>>> = {
  draft: (run) => byRewardGradient(run, draft, () => run.settings.graded),
  alignprop: (run) => byRewardGradient(run, alignProp, randomTruncation(run.settings.runSteps)),
  refl: (run) => byRewardGradient(run, refl, (random) => 1 + random.int(Math.min(10, run.settings.runSteps))),
  'draft-lv': byRenoising,
  ddpo: byPolicyGradient,
  spo: byBranching,
  'self-npo': byItself,
}

/** Numbers of the prompts of a step, in turn; `each` rows have one prompt. */
function rowsOf({ batch }: OnlineSettings, step: number, each = 1): number[] {
  return Array.from({ length: batch }, (_, i) => step * Math.ceil(batch / each) + Math.floor(i / each))
}

/** Ends a run whose reward falls and stays below its beginning. */
function stopping({ stopReward }: OnlineSettings): Pick<TrainOptions<never>, 'stop'> {
  return stopReward > 0 ? { stop: [belowStart('reward', { steps: stopReward })] } : {}
}

function inSign<B, N extends object>(objective: PreferenceObjective<B, N>, { negated }: OnlineSettings): PreferenceObjective<B, N> {
  return negated ? negate(objective) : objective
}

function byRewardGradient<C extends Condition>(
  run: OnlineRun<C>, objectiveOf: typeof draft, graded: Parameters<typeof rewardRollouts<C>>[1]['graded'] | (() => number),
): AsyncIterable<TrainStep> {
  const { task: { unet: { device }, shape, condition, x0 }, settings, sampler: scheduler, tuned, shared } = run
  const changed = x0 ? { x0 } : {}
  const objective = inSign(objectiveOf<C>({ scheduler, reward: rewardOf(run), ...changed }), settings)
  return train({
    ...shared, ...stopping(settings), compile: true,
    ...rewardRollouts<C>(device, {
      model: tuned, scheduler, steps: settings.runSteps, shape: shape(settings.batch), graded, seed: settings.seed, ...changed,
      condition: (step) => condition(rowsOf(settings, step)),
    }),
    loss: (batch) => objective.evaluate({ model: tuned }, batch),
  })
}

function byRenoising<C extends Condition>(run: OnlineRun<C>): AsyncIterable<TrainStep> {
  const { task: { unet: { device }, shape, condition, x0 }, settings, sampler: scheduler, tuned, shared } = run
  const changed = x0 ? { x0 } : {}
  const objective = inSign(draftLv<C>({ scheduler, reward: rewardOf(run), ...changed }), settings)
  return train({
    ...shared, ...stopping(settings), compile: true,
    ...renoisedRollouts<C>(device, {
      model: tuned, scheduler, steps: settings.runSteps, shape: shape(settings.batch), draws: settings.draws,
      seed: settings.seed, ...changed, condition: (step) => condition(rowsOf(settings, step)),
    }),
    loss: (batch) => objective.evaluate({ model: tuned }, batch),
  })
}

/** Rounds of runs: a batch for each call of the sampler. */
function rounds(
  { shared: { checkpoint, ...shared }, settings: { seed, passes } }: Pick<OnlineRun<never>, 'shared' | 'settings'>, batches: number,
): Omit<OnlineOptions<never>, 'collect' | 'loss'> {
  const length = batches * passes
  return {
    ...shared, batches, passes, seed, compile: true,
    // What a round has sampled is not saved, so that runs are saved between rounds.
    ...(checkpoint ? { checkpoint: { ...checkpoint, every: Math.ceil(checkpoint.every / length) * length } } : {}),
  }
}

async function* byPolicyGradient<C extends Condition>(run: OnlineRun<C>): AsyncGenerator<TrainStep, void, void> {
  const { task: { unet: { device }, shape, condition }, settings, policy, tuned } = run
  const { runSteps, perPrompt, seed } = settings
  const objective = inSign(ddpo<C>(), settings)
  const reward = rewardOf(run)
  let mean = Number.NaN
  for await (const step of trainOnline({
    ...rounds(run, runSteps),
    collect(round) {
      const rows = rowsOf(settings, round, perPrompt)
      const noise = randn(device, shape(settings.batch), { seed, stream: 2 ** 30 + round })
      return policyRollouts<C>(tuned, policy, noise, condition(rows), {
        steps: runSteps, reward, seed: seed * 1_000_000 + round,
        advantages(rewards) {
          mean = Array.from(rewards).reduce((sum, value) => sum + value, 0) / rewards.length
          return groupAdvantages(rewards, rows, { rule: 'ddpo' })
        },
      })
    },
    loss: (batch) => objective.evaluate({ model: tuned }, batch),
  })) yield { ...step, metrics: { reward: mean, ...step.metrics } }
}

/** Runs at most that a round of branching takes. */
const mostAttempts = 8

function byBranching<C extends Condition>(run: OnlineRun<C>): AsyncIterable<TrainStep> {
  const { task: { unet: { device }, shape, condition }, settings, policy, tuned, frozen } = run
  const { runSteps, seed, beta } = settings
  const objective = inSign(spo<C>({ beta }), settings)
  const reward = rewardOf(run)
  const from = Math.min(4, runSteps - 1)
  return trainOnline({
    ...rounds(run, runSteps - from),
    async* collect(round) {
      // Where scores are equal there is no pair, so that runs may give fewer than one a step.
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const noise = randn(device, shape(settings.batch), { seed, stream: 2 ** 30 + mostAttempts * round + attempt })
        yield* branchingPairs<C>(tuned, policy, noise, condition(rowsOf(settings, round)), {
          steps: runSteps, from, seed: seed * 1_000_000 + mostAttempts * round + attempt,
          // A reward of clean pictures judges the estimates of them; every pair that it tells apart counts.
          threshold: () => 0, score: ({ x0, condition: told }) => reward(x0, told),
        })
      }
    },
    loss: (batch) => objective.evaluate({ model: tuned, reference: frozen }, batch),
  })
}

async function* byItself<C extends Condition>(run: OnlineRun<C>): AsyncGenerator<TrainStep, void, void> {
  const { task, settings, adapter, sampler: scheduler, tuned, shared } = run
  const { unet } = task
  const { batch, omega, seed, teacherDecay } = settings
  using average = ema(teacherDecay)
  const averaged = `${adapter}-teacher`
  // Before the first update the average is the model as it was.
  let teacher = task.denoiser({})
  let led = false
  const lead = (): void => {
    if (led || average.step === 0) return
    setAdapter(unet, averaged, average.averages())
    teacher = task.denoiser({ [averaged]: 1 })
    led = true
  }
  const objective = selfNpo<C>()
  try {
    yield* train({
      ...shared, ema: average,
      ...selfRollouts<C>(unet.device, {
        teacher: (...call) => teacher(...call), unconditional: (condition) => task.unconditional(condition), scheduler, omega, seed,
        samples(step) {
          lead()
          return { samples: zeros(unet.device, task.shape(batch)), condition: task.condition(rowsOf(settings, step)) }
        },
      }),
      loss: (runs) => objective.evaluate({ model: tuned }, runs),
    })
  } finally {
    if (led) removeAdapter(unet, averaged)
  }
}

function rewardOf<C extends Condition>({ task: { reward }, settings: { method } }: OnlineRun<C>): Reward<C> {
  if (!reward) throw new TypeError(`train ${method}: expected a reward, got none`)
  return reward
}
