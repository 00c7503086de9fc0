const round = Math.fround

/**
 * Coefficients of the step from √ᾱ·x₀ + √(1−ᾱ)·ε to the same x₀ and ε at ᾱ': x' = sample·x + noise·ε.
 *
 * Every operation rounds to float32. Where ᾱ is near 0 both terms are far larger than their sum, which then has the
 * digits of the coefficients: reference samplers have just these, and exact ones differ by 1.4e-5 after ten steps.
 * @param from ᾱ at the step's start, in (0, 1)
 * @param to ᾱ' at its end, in (0, 1]
 * Source: PNDM, arXiv 2202.09778, equation 11.
 */
export function transfer(from: number, to: number): { readonly sample: number; readonly noise: number } {
  const direct = round(from * round(Math.sqrt(round(1 - to))))
  const mixed = round(Math.sqrt(round(round(from * round(1 - from)) * to)))
  return {
    sample: round(Math.sqrt(round(to / from))),
    noise: -round(to - from) / round(direct + mixed),
  }
}
