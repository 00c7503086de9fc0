import type { DeviceOptions } from '@antipode/core'
import type { PhaseHandle, Progress } from './progress.ts'

/** Progress whose newest phase notes how many kernels are compiled, if a device is requested with `onCompile`. */
export function compilingProgress(progress: Progress): Progress & Required<Pick<DeviceOptions, 'onCompile'>> {
  let newest: PhaseHandle | undefined
  return {
    phase(title, total) {
      newest = progress.phase(title, total)
      return newest
    },
    onCompile({ done, total }) {
      newest?.advance(0, done < total ? `compiling ${done} of ${total} kernels` : `compiled ${total} kernels`)
    },
  }
}
