import { Device, UnsupportedError } from '@antipode/core'
import { compilingProgress, type Progress } from '../progress/index.ts'
import { DOCTOR_SCHEMA_VERSION, type DoctorReport, type GpuReport } from './doctor-report.ts'
import { describeHost, describeSituation } from './host.ts'
import { measure } from './measure.ts'
import { judge, judgeFailure } from './verdict.ts'

/** Options of `antipode doctor`. */
export interface DoctorOptions {
  readonly signal: AbortSignal
  readonly progress: Progress
}

/**
 * Looks at the host and its adapter, measures it for about 3 s (longer while shaders are compiled for the first time), and
 * says whether Antipode can run here and what to do if not. Having no adapter is a finding, not an error.
 * @throws the reason of `signal` once it is aborted @throws {DeviceLostError} @throws {OutOfMemoryError}
 */
export async function runDoctor({ signal, progress: shown }: DoctorOptions): Promise<DoctorReport> {
  const progress = compilingProgress(shown)
  const [host, situation] = [describeHost(), describeSituation()]
  const device = await Device.request({ signal, onCompile: progress.onCompile }).catch((error: unknown) => {
    if (error instanceof UnsupportedError) return error
    throw error
  })
  if (device instanceof UnsupportedError) {
    return { schemaVersion: DOCTOR_SCHEMA_VERSION, ok: false, host, gpu: null, verdict: judgeFailure(device, situation) }
  }
  await using owned = device
  const gpu = await describeGpu(owned, { signal, progress })
  const verdict = judge(gpu, situation)
  return { schemaVersion: DOCTOR_SCHEMA_VERSION, ok: verdict.status !== 'wrong', host, gpu, verdict }
}

/** Describes and measures a device. */
export async function describeGpu(device: Device, { signal, progress }: DoctorOptions): Promise<GpuReport> {
  const { adapter, gpu, target } = device
  const measured = await measure(device, { signal, progress, now: () => performance.now() })
  // Limits are getters of a host object: only a for…in loop over its prototype names them.
  const limits: Record<string, number> = {}
  for (const name in gpu.limits) {
    const value = gpu.limits[name as keyof GPUSupportedLimits]
    if (typeof value === 'number') limits[name] = value
  }
  return {
    ...adapter,
    device: gpu.adapterInfo.device,
    target,
    features: [...gpu.features].sort(),
    limits,
    measured,
    peakMemory: device.memory().peak,
  }
}
