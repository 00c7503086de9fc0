import { adapterAdvice, loadAdvice, packageAdvice, wrongAdvice } from './advice.ts'
import type { GpuReport, Verdict } from './doctor-report.ts'
import type { Situation } from './host.ts'

/** Rate below which the demo would take far longer than its ten minutes, in 10⁹ operations a second. */
const slow = 4

/** Judges an adapter that was measured. */
export function judge(gpu: Pick<GpuReport, 'software' | 'measured' | 'target'>, situation: Situation): Verdict {
  const wrong = gpu.measured.matmul.filter((rate) => !rate.correct)
  if (wrong.length > 0) {
    const list = wrong.map(({ dtype, error }) => `${dtype} (error ${error.toPrecision(2)})`).join(' and ')
    return { status: 'wrong', text: `The adapter computes wrong matrix products in ${list}: its results cannot be trusted.`, advice: wrongAdvice(situation) }
  }
  const rate = gpu.measured.matmul[0]?.gflops ?? 0
  if (!gpu.software) {
    const f16 = gpu.target.f16 ? [] : ['It has no f16 (the WebGPU feature shader-f16); models run in f32, with twice the memory.']
    return { status: 'gpu', text: 'Ready: Antipode runs on this GPU.', advice: f16 }
  }
  const text = 'Ready: Antipode runs on this software adapter, that is on the CPU. Small models do; large ones need a GPU.'
  const faster = situation.platform === 'linux' && situation.nvidia ? adapterAdvice(situation).slice(0, 3) : []
  const busy = `It is slower than expected (below ${slow} GFLOPS): other programs may keep the processor busy.`
  return { status: 'software', text, advice: [...(rate < slow ? [busy] : []), ...faster] }
}

/**
 * Judges the failure of `Device.request`: its cause is the loader's error where `webgpu` could not be imported, and there
 * is none where Dawn found no adapter.
 */
export function judgeFailure(error: Error, situation: Situation): Verdict {
  const { cause } = error
  if (cause === undefined) {
    return { status: 'no-adapter', text: 'Antipode cannot run: no WebGPU adapter was found.', advice: adapterAdvice(situation) }
  }
  const text = 'Antipode cannot run: the package "webgpu"'
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  // Only the package itself: a file that it lacks inside is a build missing for this platform.
  if (code === 'ERR_MODULE_NOT_FOUND' && cause instanceof Error && /'webgpu'/.test(cause.message)) {
    return { status: 'no-package', text: `${text} is not installed.`, advice: packageAdvice(situation) }
  }
  const message = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? ''
  return { status: 'broken-package', text: `${text} cannot be loaded.`, advice: loadAdvice(situation, message) }
}
