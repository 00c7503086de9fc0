import { ddim, type Linear, type Scheduler, type SchedulerState } from '@antipode/schedulers'

/**
 * DDIM of ε without noise by its formula (Song et al. 2020, eq. 12) from values of ᾱ in float64, where the table of a
 * scheduler is in f32: for numbers that were made so. @param alphaBars by timestep; the one of −1 is the end's
 */
export function exactDdim(alphaBars: Readonly<Record<number, number>>): Scheduler {
  const plain = ddim({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, clipSample: false, setAlphaToOne: false })
  const levelOf = (t: number): { readonly signal: number; readonly noise: number } => {
    const a = alphaBars[t]!
    return { signal: Math.sqrt(a), noise: Math.sqrt(1 - a) }
  }
  const timestepOf = ({ plan, step }: SchedulerState<unknown>): number => plan.timesteps[step]!
  return {
    ...plain,
    level: (state) => levelOf(timestepOf(state)),
    step(linear, state, prediction, sample, _noise, hooks) {
      const [here, next] = [levelOf(timestepOf(state)), levelOf(state.plan.timesteps[state.step + 1] ?? -1)]
      const implied = linear.combine([[1 / here.signal, sample], [-here.noise / here.signal, prediction]])
      const x0 = hooks?.x0?.(implied) ?? implied
      const moved = linear.combine([[next.signal, x0], [next.noise, prediction]])
      return { sample: moved, x0, state: { ...state, step: state.step + 1 } }
    },
    addNoise<T>(linear: Linear<T>, x0: T, noise: T, at: number | SchedulerState<T>): T {
      const { signal, noise: sigma } = levelOf(typeof at === 'number' ? at : timestepOf(at))
      return linear.combine([[signal, x0], [sigma, noise]])
    },
  }
}
