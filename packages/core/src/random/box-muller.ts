const { cos, fround, log, sin, sqrt } = Math
const TWO_PI = fround(2 * Math.PI)

/**
 * Replaces the uniforms x[i], x[j] in [0, 1) by two standard normals in place, with every step rounded to f32 as
 * hardware does it: r = √(−2 ln(1 − x[i])), θ = f32(2π)·x[j], (r cos θ, r sin θ).
 *
 * 1 − x lies in [2^-24, 1] and is exact for 24-bit uniforms, so the logarithm is finite and |z| <= √(48 ln 2) ≈ 5.77.
 * Source: Box and Muller, "A note on the generation of random normal deviates", 1958.
 */
export function boxMuller(x: Float32Array, i: number, j: number): void {
  const radius = fround(sqrt(-2 * fround(log(1 - x[i]!))))
  const angle = fround(TWO_PI * x[j]!)
  x[i] = radius * fround(cos(angle))
  x[j] = radius * fround(sin(angle))
}
