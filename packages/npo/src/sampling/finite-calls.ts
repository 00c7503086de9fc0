import { evaluate, NumericError, type Tensor } from '@antipode/core'
import { accumulator } from '@antipode/core/optim'

/**
 * How many calls of a run gave a finite sample: one number that is computed along with each step, in place, and stays on the
 * GPU. The mean of a sample is NaN or infinite if an element is, where a maximum may lose NaN.
 */
export class FiniteCalls implements Disposable {
  readonly #share = accumulator()

  /** Evaluates what a call computes, the sample among it, and counts that. */
  async evaluate(sample: Tensor, values: readonly Tensor[]): Promise<void> {
    // Times 0 what is finite is 0, and NaN or infinity NaN, which equals nothing.
    const finite = sample.mean().to('f32').mul(0).eq(0)
    const counted = this.#share.add(new Map([['finite', finite]]), [finite])
    await evaluate(...values, ...counted)
    for (const t of counted) t.dispose()
  }

  /**
   * Waits for the last call.
   * @param timesteps of the run's calls; `first` is the index of the one that was made first
   * @throws {NumericError} that names the first call whose sample was not finite, if there is one: once one is not, none is
   */
  async check(timesteps: readonly number[], first: number): Promise<void> {
    const share = await this.#share.mean().get('finite')?.item() ?? 1
    if (share === 1) return
    const index = first + Math.round(share * this.#share.count)
    throw new NumericError(
      `sample: expected finite samples, got NaN or infinity from step ${index} (timestep ${timesteps[index]}) on; look at what the model predicts there, or compute in f32`,
      { where: `step ${index}` },
    )
  }

  [Symbol.dispose](): void {
    this.#share[Symbol.dispose]()
  }
}
