/**
 * Standard normal draws of torch's CPU generator for a whole number of 16s (all that the golden cases draw): MT19937,
 * 24-bit uniforms, and Box–Muller on pairs eight apart.
 */
export function torchNormals(seed: number): (count: number) => Float32Array {
  const word = mersenneTwister(seed)
  return (count) => {
    const values = Float32Array.from({ length: count }, () => (word() & 0xffffff) / 2 ** 24)
    for (let block = 0; block < count; block += 16) {
      for (let j = block; j < block + 8; j++) {
        const radius = Math.sqrt(-2 * Math.log(1 - values[j]!))
        const angle = 2 * Math.PI * values[j + 8]!
        values[j] = radius * Math.cos(angle)
        values[j + 8] = radius * Math.sin(angle)
      }
    }
    return values
  }
}

/** Matsumoto and Nishimura, 1998, with their standard initialisation from one 32-bit seed. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(624)
  state[0] = seed
  for (let i = 1; i < 624; i++) {
    const before = state[i - 1]!
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
  }
  let index = 624
  return () => {
    if (index === 624) {
      for (let i = 0; i < 624; i++) {
        const joined = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff)
        state[i] = state[(i + 397) % 624]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0)
      }
      index = 0
    }
    let word = state[index++]!
    word ^= word >>> 11
    word ^= (word << 7) & 0x9d2c5680
    word ^= (word << 15) & 0xefc60000
    return (word ^ (word >>> 18)) >>> 0
  }
}
