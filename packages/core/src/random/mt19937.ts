const N = 624
const M = 397
const UPPER = 0x80000000
const LOWER = 0x7fffffff
const MATRIX = 0x9908b0df

/**
 * The Mersenne Twister MT19937 with 32-bit output and its 2002 initialisation.
 *
 * Source: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, and mt19937ar.
 */
export class Mt19937 {
  readonly #state: Uint32Array = new Uint32Array(N)
  #next: number = N

  /** @param seed any integer; its low 32 bits are used */
  constructor(seed: number) {
    const state = this.#state
    state[0] = seed
    for (let i = 1; i < N; i++) {
      const previous = state[i - 1]!
      state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i
    }
  }

  /** The next unsigned 32-bit word. */
  next(): number {
    if (this.#next === N) this.#twist()
    let y = this.#state[this.#next++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  #twist(): void {
    const state = this.#state
    for (let i = 0; i < N; i++) {
      const y = (state[i]! & UPPER) | (state[(i + 1) % N]! & LOWER)
      state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? MATRIX : 0)
    }
    this.#next = 0
  }
}
