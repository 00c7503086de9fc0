import { mersenneTwister, seededWords, size, type MersenneTwister } from './mersenne-twister.ts'
import { refuse } from '../errors.ts'
import { checkedCount, checkedSeed, type NoiseStream } from './stream.ts'

/** Longer draws than this are made in groups of as many. */
const group = 16
const half = 8

/** Where a {@link torchCpu} stream stands. */
export interface TorchCpuState {
  /** The generator's 624 words of 32 bits. */
  readonly words: readonly number[]
  /** How many of them are used. */
  readonly used: number
  /** The second normal of a pair that a short draw left over, float64. */
  readonly spare: number | null
}

/**
 * The noise that torch draws on the CPU in float32: `torch.randn(count, generator=torch.Generator().manual_seed(seed))`,
 * draw after draw. Draws below 16 values are bit for bit torch's; of longer ones five values in six are, and the rest
 * differ by up to 3 ulp, since torch's vectorised logarithm, sine and cosine do.
 *
 * A stream depends on how it is cut: a draw for a whole batch differs from one for each item, see {@link perItem}.
 * @param seed whole, in [0, 2^53); only its low 32 bits matter, as in torch
 * @throws {SchedulerError} on another seed
 * Source: behaviour of torch on CPU (aten/src/ATen/native/cpu/DistributionTemplates.h, core/MT19937RNGEngine.h).
 */
export function torchCpu(seed: number): NoiseStream<TorchCpuState> {
  checkedSeed('torchCpu', seed)
  return Object.freeze<NoiseStream<TorchCpuState>>({
    begin: () => ({ words: Array.from(seededWords(seed)), used: size, spare: null }),
    draw(state, count) {
      if (state.words?.length !== size || !(state.used >= 0 && state.used <= size)) {
        refuse('torchCpu.draw', 'a state of torchCpu', Object.keys(state).join(), 'begin() makes one')
      }
      const words = Uint32Array.from(state.words)
      const twister = mersenneTwister(words, state.used)
      const short = checkedCount('torchCpu.draw', count) < group
      const { values, spare } = short ? pairs(twister, count, state.spare) : { values: groups(twister, count), spare: state.spare }
      return { values, state: { words: Array.from(words), used: twister.used(), spare } }
    },
  })
}

/** Box–Muller in float64 from 53-bit uniforms, two values at a time; the second of the last pair is kept. */
function pairs(twister: MersenneTwister, count: number, kept: number | null): { values: Float32Array<ArrayBuffer>; spare: number | null } {
  // The high word of the 64 is drawn first.
  const uniform = (): number => ((twister.next() & 0x1fffff) * 2 ** 32 + twister.next()) * 2 ** -53
  let spare = kept
  const values = Float32Array.from({ length: count }, () => {
    const ready = spare
    if (ready !== null) {
      spare = null
      return ready
    }
    const angle = 2 * Math.PI * uniform()
    const radius = Math.sqrt(-2 * Math.log1p(-uniform()))
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  })
  return { values, spare }
}

/** Box–Muller in float32 on pairs eight apart, from 24-bit uniforms; the last 16 are drawn anew if some are left over. */
function groups(twister: MersenneTwister, count: number): Float32Array<ArrayBuffer> {
  const uniform = (): number => (twister.next() & 0xffffff) * 2 ** -24
  const values = Float32Array.from({ length: count }, uniform)
  const whole = count - (count % group)
  for (let start = 0; start < whole; start += group) transform(values, start)
  if (whole < count) {
    values.set(Float32Array.from({ length: group }, uniform), count - group)
    transform(values, count - group)
  }
  return values
}

/** Turns 16 uniforms into normals in place, with every step rounded to float32 as in torch. */
function transform(values: Float32Array, start: number): void {
  const { cos, fround, log, sin, sqrt } = Math
  for (let i = start; i < start + half; i++) {
    const radius = fround(sqrt(-2 * fround(log(1 - values[i]!))))
    const angle = fround(fround(2 * Math.PI) * values[i + half]!)
    values[i] = radius * fround(cos(angle))
    values[i + half] = radius * fround(sin(angle))
  }
}
