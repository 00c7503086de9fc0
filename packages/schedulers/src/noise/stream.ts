import { refuse, show } from '../errors.ts'

/** What a draw gives: the noise, and the state that the next draw takes. */
export interface NoiseDraw<S> {
  readonly values: Float32Array<ArrayBuffer>
  readonly state: S
}

/**
 * Unit normal noise as a pure function of a state. States are plain data, fit for JSON, and never change: keep one to
 * resume a run, draw twice from it to branch one. S is what the stream keeps between draws.
 */
export interface NoiseStream<S> {
  /** The state before the first draw. */
  begin(): S
  /**
   * The next `count` values.
   * @throws {SchedulerError} if the count is no whole number from 0
   */
  draw(state: S, count: number): NoiseDraw<S>
}

/**
 * A stream for a batch whose items draw from streams of their own, so that an item's noise does not depend on the rest
 * of its batch: what diffusers does with a list of generators. Items lie one after the other.
 * @param streams one an item, not empty; a draw's count is a multiple of their number
 * @throws {SchedulerError} on no streams, or a count that they cannot share
 */
export function perItem<S>(streams: readonly NoiseStream<S>[]): NoiseStream<readonly S[]> {
  if (streams.length === 0) refuse('perItem', 'a stream for each item', 'none', 'pass [torchCpu(0), torchCpu(1), …]')
  return Object.freeze<NoiseStream<readonly S[]>>({
    begin: () => streams.map((stream) => stream.begin()),
    draw(state, count) {
      const each = checkedCount('perItem.draw', count) / streams.length
      if (!Number.isInteger(each)) {
        refuse('perItem.draw', `a multiple of ${streams.length} values`, show(count), 'count the whole batch')
      }
      if (state.length !== streams.length) refuse('perItem.draw', `a state of ${streams.length} streams`, show(state.length), 'begin() makes one')
      const draws = streams.map((stream, item) => stream.draw(state[item]!, each))
      const values = new Float32Array(count)
      draws.forEach((draw, item) => values.set(draw.values, item * each))
      return { values, state: draws.map((draw) => draw.state) }
    },
  })
}

/** A number of values to draw. */
export function checkedCount(where: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count
  return refuse(where, 'a whole number of values', show(count), 'pass the number of elements of the tensor')
}

/** A seed, in [0, 2^53). */
export function checkedSeed(where: string, seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed
  return refuse(where, 'a whole seed from 0 below 2^53', show(seed), 'seeds are explicit, for example 7')
}
