import { solveLinear } from '../../numeric/index.ts'
import type { NoiseLevel } from '../../schedule/index.ts'
import { lambda } from '../../sigmas/index.ts'

/** What an update integrates, and which B(h) it divides by. */
export interface UniPcForm {
  /** x₀ rather than ε. */
  readonly predictX0: boolean
  /** B(h) = h ('bh1') or eʰ − 1 ('bh2'). */
  readonly solverType: 'bh1' | 'bh2'
}

/** x' = sample·x + Σ outputs[k]·m_k, where m_0 is the model output at the step's start and m_1, … those before. */
export interface UniPcCoefficients {
  readonly sample: number
  readonly outputs: readonly number[]
  /** Of the model output at the step's end; 0 for a predictor. */
  readonly end: number
}

/**
 * Coefficients of one update over a step, predictor (UniP) or corrector (UniC).
 * @param levels at the step's end, at its start, and at the starts before; their number less one is the order
 * @param corrects whether the model output at the step's end takes part
 * Source: UniPC, arXiv 2302.04867, algorithms 1 to 3 and appendix A.
 */
export function uniPcCoefficients(
  { predictX0, solverType }: UniPcForm,
  levels: readonly NoiseLevel[],
  corrects: boolean,
): UniPcCoefficients {
  const [end, start, ...before] = levels as [NoiseLevel, NoiseLevel, ...NoiseLevel[]]
  const h = lambda(end) - lambda(start)
  const z = predictX0 ? -h : h
  const weight = predictX0 ? end.signal : end.noise
  const sample = predictX0 ? end.noise / start.noise : end.signal / start.signal
  const first = -weight * Math.expm1(z)
  if (before.length === 0 && !corrects) return { sample, outputs: [first], end: 0 }

  const scale = solverType === 'bh1' ? z : Math.expm1(z)
  const ratios = before.map((level) => (lambda(level) - lambda(start)) / h)
  const shares = sharesOf(z, scale, ratios, corrects)
  // Each share goes to a divided difference (m_k − m_0)/r_k, the end's with r = 1.
  const outputs = ratios.map((ratio, k) => (-weight * scale * shares[k]!) / ratio)
  const last = corrects ? -weight * scale * shares.at(-1)! : 0
  return { sample, outputs: [first - outputs.reduce((sum, one) => sum + one, last), ...outputs], end: last }
}

/** ρ: how much of each divided difference the update takes, [ratios] or, with the end's, [ratios + 1]. */
function sharesOf(z: number, scale: number, ratios: readonly number[], corrects: boolean): number[] {
  const points = corrects ? [...ratios, 1] : ratios
  // With one difference the paper takes the ½ that the exact solution tends to.
  if (points.length === 1) return [0.5]
  const rows: number[][] = []
  const right: number[] = []
  let [phi, factorial] = [Math.expm1(z) / z - 1, 1]
  for (let i = 1; i <= points.length; i++) {
    rows.push(points.map((point) => point ** (i - 1)))
    right.push((phi * factorial) / scale)
    factorial *= i + 1
    phi = phi / z - 1 / factorial
  }
  return solveLinear(rows, right)
}
