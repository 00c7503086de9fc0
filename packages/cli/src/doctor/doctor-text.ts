import { durationText } from '../progress/index.ts'
import type { CopyRate, DoctorReport, GpuReport, HostReport } from './doctor-report.ts'

/** What `antipode doctor` prints for people: sections of aligned lines, without colours. */
export function doctorText({ host, gpu, verdict }: DoctorReport): string {
  const sections = [
    section('Host', hostRows(host)),
    ...(gpu ? [section('Adapter', adapterRows(gpu)), section(`Measured in ${durationText(gpu.measured.seconds)}`, rateRows(gpu))] : []),
    ['Verdict', ...[verdict.text, ...verdict.advice].map((line) => `  ${line}`)].join('\n'),
  ]
  return `${sections.join('\n\n')}\n`
}

type Row = readonly [name: string, value: string]

function section(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}

function hostRows(host: HostReport): Row[] {
  const packages = Object.entries(host.packages).map(([name, version]) => `${name} ${version ?? '(not installed)'}`)
  return [
    ['system', `${host.system}, ${host.platform} ${host.arch}`],
    ['processor', `${host.processor === '' ? 'unknown' : host.processor}, ${host.cores} ${host.cores === 1 ? 'core' : 'cores'}`],
    ['memory', `${bytesText(host.memory)}, ${bytesText(host.freeMemory)} free`],
    ['Node', host.node],
    ['packages', packages.join(', ')],
  ]
}

function adapterRows({ vendor, architecture, device, description, software, target, features, limits }: GpuReport): Row[] {
  const yes = (feature: string): string => (features.includes(feature) ? 'yes' : 'no')
  const limit = (name: string): string => bytesText(limits[name] ?? 0)
  const subgroups = target.subgroupSize > 0 ? `of ${target.subgroupSize}` : yes('subgroups') === 'yes' ? 'of varying size, not used' : 'no'
  return [
    ['name', device === '' ? 'not told by the driver' : device],
    ['vendor', [vendor, architecture].filter((part) => part !== '').join(', ')],
    ['driver', description],
    ['computes on', software ? 'the CPU (software adapter)' : 'the GPU'],
    ['features', `f16 ${yes('shader-f16')}, subgroups ${subgroups}, timestamps ${yes('timestamp-query')}`],
    ['limits', `buffers of ${limit('maxBufferSize')}, bindings of ${limit('maxStorageBufferBindingSize')}, ` +
      `${limits['maxStorageBuffersPerShaderStage'] ?? 0} bindings a kernel, workgroup memory of ${limit('maxComputeWorkgroupStorageSize')}`],
  ]
}

function rateRows({ measured, peakMemory }: GpuReport): Row[] {
  const copy = ({ bytes, milliseconds, gigabytesPerSecond }: CopyRate): string =>
    `${`${threeDigits(gigabytesPerSecond)} GB/s`.padEnd(14)}${threeDigits(milliseconds)} ms for ${bytesText(bytes)}`
  return [
    ...measured.matmul.map(({ dtype, size, gflops, milliseconds, error, correct }): Row => [
      `matmul ${dtype}`,
      `${rateText(gflops)}${threeDigits(milliseconds)} ms for ${size}×${size}×${size}, ` +
        (correct ? `right to ${error.toExponential(0)}` : `WRONG by ${error.toExponential(0)}`),
    ]),
    ['copy', copy(measured.copy)],
    ['elementwise', copy(measured.elementwise)],
    ['read back', copy(measured.readback)],
    ['peak memory', bytesText(peakMemory)],
  ]
}

const rateText = (gflops: number): string =>
  (gflops < 1000 ? `${threeDigits(gflops)} GFLOPS` : `${threeDigits(gflops / 1000)} TFLOPS`).padEnd(14)

/** A positive number in three digits, with at most four decimals: 0.0123, 0.123, 1.23, 12.3, 123, 1234. */
export function threeDigits(x: number): string {
  const whole = Math.floor(Math.log10(Math.max(x, 1e-9))) + 1
  return x.toFixed(Math.min(4, Math.max(0, 3 - whole)))
}

/** Bytes in binary units: "512 B", "32.0 KiB", "1.50 GiB". */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const unit = units[power] ?? ''
  return power === 0 ? `${bytes} ${unit}` : `${threeDigits(bytes / 1024 ** power)} ${unit}`
}
