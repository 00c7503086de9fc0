import type { Tensor } from '@antipode/core'
import type { Ema } from '@antipode/core/optim'
import { withAverages } from '@antipode/npo'

/** What is made of an adapter: of its average, where there is one. */
export async function averaged<R>(
  parameters: ReadonlyMap<string, Tensor>, average: Ema | undefined, work: () => Promise<R>,
): Promise<R> {
  return await (average ? withAverages(parameters, average, work) : work())
}
