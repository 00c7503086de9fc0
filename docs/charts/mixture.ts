/** Shares of clean data and noise in a sample: x = signal·x₀ + noise·ε. */
export interface Level {
  readonly signal: number
  readonly noise: number
}

/** What a perfect model knows of a sample: the mean of the clean data that it may come from, and the noise beside it. */
export interface Knowledge {
  readonly clean: Float64Array
  readonly noise: Float64Array
}

/** The toy: normal distributions of one spread around points of the plane. */
const spread = 0.16
const components = [
  { x: 1, y: 0.15, weight: 0.28 },
  { x: 0.2, y: 1, weight: 0.22 },
  { x: -0.85, y: 0.65, weight: 0.1 },
  { x: -0.75, y: -0.7, weight: 0.24 },
  { x: 0.45, y: -0.9, weight: 0.16 },
] as const

/** Where the toy's data lie, for a picture of it. */
export const islands: readonly { readonly x: number; readonly y: number; readonly radius: number }[] = components.map(
  ({ x, y }) => ({ x, y, radius: 2 * spread }),
)

/** `count` points of the data, [count · 2]: each component has its share, and `normals` scatters them. */
export function dataPoints(count: number, normals: Float32Array): Float64Array {
  let [component, ends] = [0, components[0].weight]
  return Float64Array.from({ length: 2 * count }, (_, i) => {
    while (Math.floor(i / 2) >= ends * count && component < components.length - 1) ends += components[++component]!.weight
    const { x, y } = components[component]!
    return (i % 2 === 0 ? x : y) + spread * normals[i]!
  })
}

/** E[x₀ | x] and E[ε | x] of points x at a level, [n · 2]; exact, and finite without signal and without noise. */
export function posterior(points: ArrayLike<number>, { signal, noise }: Level): Knowledge {
  const variance = (signal * spread) ** 2 + noise ** 2
  const clean = new Float64Array(points.length)
  const noises = new Float64Array(points.length)
  for (let i = 0; i < points.length; i += 2) {
    const [px, py] = [points[i]!, points[i + 1]!]
    const distances = components.map(({ x, y }) => (px - signal * x) ** 2 + (py - signal * y) ** 2)
    const nearest = Math.min(...distances)
    const shares = components.map(({ weight }, k) => weight * Math.exp((nearest - distances[k]!) / (2 * variance)))
    const total = shares.reduce((sum, share) => sum + share, 0)
    components.forEach(({ x, y }, k) => {
      const share = shares[k]! / total
      const [dx, dy] = [px - signal * x, py - signal * y]
      clean[i]! += share * (x + (signal * spread ** 2 * dx) / variance)
      clean[i + 1]! += share * (y + (signal * spread ** 2 * dy) / variance)
      noises[i]! += (share * noise * dx) / variance
      noises[i + 1]! += (share * noise * dy) / variance
    })
  }
  return { clean, noise: noises }
}

/**
 * Where the flow of the toy takes samples from one level to another, by the classical Runge–Kutta method: with u the share
 * of noise and y = (1 − u)·x₀ + u·ε, that is dy/du = E[ε | y] − E[x₀ | y].
 * @returns points on the scale signal + noise = 1
 */
export function flowed(points: ArrayLike<number>, from: Level, to: Level, substeps: number): Float64Array {
  const size = from.signal + from.noise
  const [first, last] = [from.noise / size, to.noise / (to.signal + to.noise)]
  // Substeps shrink towards both ends.
  const at = (w: number): number => first + (last - first) * w * w * (3 - 2 * w)
  const slope = (y: Float64Array, u: number): Float64Array => {
    const { clean, noise } = posterior(y, { signal: 1 - u, noise: u })
    return noise.map((value, i) => value - clean[i]!)
  }
  let y = Float64Array.from(points, (value) => value / size)
  for (let k = 0; k < substeps; k++) {
    const [u, half, next] = [at(k / substeps), at((k + 0.5) / substeps), at((k + 1) / substeps)]
    const h = next - u
    const a = slope(y, u)
    const b = slope(y.map((value, i) => value + (half - u) * a[i]!), half)
    const c = slope(y.map((value, i) => value + (half - u) * b[i]!), half)
    const d = slope(y.map((value, i) => value + h * c[i]!), next)
    y = y.map((value, i) => value + (h / 6) * (a[i]! + 2 * b[i]! + 2 * c[i]! + d[i]!))
  }
  return y
}

/** Mean over directions of the distance between two sets of equally many points, each projected and sorted. */
export function slicedDistance(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const directions = 24
  const project = (points: ArrayLike<number>, angle: number): Float64Array =>
    Float64Array.from({ length: points.length / 2 }, (_, i) => points[2 * i]! * Math.cos(angle) + points[2 * i + 1]! * Math.sin(angle)).sort()
  const squares = Array.from({ length: directions }, (_, k) => {
    const angle = (Math.PI * k) / directions
    const [a, b] = [project(one, angle), project(other, angle)]
    return a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length
  })
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / directions)
}
