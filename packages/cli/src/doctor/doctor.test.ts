import { UnsupportedError, tuningTable } from '@antipode/core'
import { expect, test } from 'vitest'
import type { DoctorReport, GpuReport, MatmulRate } from './doctor-report.ts'
import { bytesText, threeDigits } from './doctor-text.ts'
import { packageVersion } from '../package-version.ts'
import { describeHost, parseRelease, type Situation } from './host.ts'
import { doctorText } from './index.ts'
import { judge, judgeFailure } from './verdict.ts'

const debian12: Situation = { platform: 'linux', arch: 'x64', distributions: ['debian'], release: '12', mesa: '22.3.6-1+deb12u2', nvidia: false }
const noAdapter = new UnsupportedError('Device.request: no WebGPU adapter was found')
const failure = (code: string, message: string): UnsupportedError =>
  new UnsupportedError('Device.request: …', { cause: Object.assign(new Error(message), { code }) })

const rate = (patch: Partial<MatmulRate> = {}): MatmulRate =>
  ({ dtype: 'f32', size: 512, milliseconds: 16, gflops: 16.8, error: 7e-7, correct: true, ...patch })
const copy = { bytes: 2 ** 24, milliseconds: 2, gigabytesPerSecond: 8.39 }
const gpu: GpuReport = {
  vendor: 'mesa', architecture: 'software', device: 'llvmpipe', description: 'llvmpipe: Mesa 25.0.7', software: true,
  target: { kind: 'software', f16: true, subgroupSize: 8, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe },
  features: ['shader-f16', 'subgroups'],
  limits: { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 27, maxStorageBuffersPerShaderStage: 16, maxComputeWorkgroupStorageSize: 32_768 },
  measured: { matmul: [rate()], copy, elementwise: copy, readback: copy, seconds: 3.04 },
  peakMemory: 3 * 2 ** 24,
}

test('on Debian 12 the advice names the backport, the version that is there and why it is not enough', () => {
  const { status, advice } = judgeFailure(noAdapter, debian12)
  expect(status).toBe('no-adapter')
  const text = advice.join('\n')
  expect(text).toContain('Installed is 22.3.6-1+deb12u2.')
  expect(text).toContain('shaderStorageBufferArrayDynamicIndexing')
  expect(text).toContain('  apt-get install -y -t bookworm-backports mesa-vulkan-drivers libvulkan1')
})

test('where Mesa is new enough the advice does not tell to install it again', () => {
  const text = judgeFailure(noAdapter, { ...debian12, mesa: '25.0.7-2~bpo12+1' }).advice.join('\n')
  expect(text).not.toContain('bookworm-backports')
  expect(text).toContain('VK_DRIVER_FILES')
})

test('each platform gets commands or steps of its own', () => {
  const at = (patch: Partial<Situation>): string => judgeFailure(noAdapter, { ...debian12, mesa: undefined, ...patch }).advice.join('\n')
  expect(at({ release: '13' })).toContain('apt-get install -y mesa-vulkan-drivers libvulkan1')
  expect(at({ release: '13' })).not.toContain('backports')
  expect(at({ distributions: ['ubuntu', 'debian'], release: '24.04' })).toContain('apt-get install')
  expect(at({ distributions: ['fedora'], release: '42' })).toContain('dnf install')
  expect(at({ distributions: ['arch'], release: '' })).toContain('pacman -S')
  expect(at({ distributions: ['slackware'], release: '' })).toContain('your distribution')
  expect(at({ platform: 'darwin', distributions: [], release: '' })).toContain('Metal')
  expect(at({ platform: 'win32', distributions: [], release: '' })).toContain('Direct3D 12')
  expect(at({ platform: 'freebsd', distributions: [], release: '' })).toContain('not on freebsd')
  expect(at({ nvidia: true })).toMatch(/^An NVIDIA GPU.*\n.*\n.*NVIDIA_DRIVER_CAPABILITIES/)
})

test('a missing package, a broken one and a missing adapter are told apart', () => {
  const missing = failure('ERR_MODULE_NOT_FOUND', "Cannot find package 'webgpu' imported from /home/me/app/index.js")
  expect(judgeFailure(missing, debian12)).toMatchObject({ status: 'no-package' })
  expect(judgeFailure(missing, debian12).advice).toContain('  npm install webgpu')
  expect(judgeFailure(missing, { ...debian12, arch: 'riscv64' }).advice.join()).toContain('not for linux on riscv64')

  const old = judgeFailure(failure('ERR_DLOPEN_FAILED', "libc.so.6: version `GLIBC_2.34' not found\nmore"), debian12)
  expect(old.status).toBe('broken-package')
  expect(old.advice[0]).toMatch(/`GLIBC_2\.34' not found$/)
  expect(old.advice.join()).toContain('older than the binary')

  const musl = { ...debian12, distributions: ['alpine'] }
  expect(judgeFailure(failure('ERR_DLOPEN_FAILED', 'ld-linux: no such file'), musl).advice.join()).toContain('musl')
})

test('an adapter that computes wrong numbers is not called ready', () => {
  const measured = { ...gpu.measured, matmul: [rate(), rate({ dtype: 'f16', error: 0.7, correct: false })] }
  const verdict = judge({ ...gpu, measured }, debian12)
  expect(verdict.status).toBe('wrong')
  expect(verdict.text).toContain('f16 (error 0.70)')
  expect(verdict.advice.join('\n')).toContain('mesa_shader_cache')
})

test('a software adapter is ready without advice, a slow one with some, a GPU without f16 hears so', () => {
  expect(judge(gpu, debian12)).toMatchObject({ status: 'software', advice: [] })
  expect(judge({ ...gpu, measured: { ...gpu.measured, matmul: [rate({ gflops: 2 })] } }, debian12).advice.join()).toContain('slower than expected')
  const real = { ...gpu, software: false, target: { kind: 'gpu', f16: false, subgroupSize: 32, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.gpu } } as const
  expect(judge(real, debian12)).toMatchObject({ status: 'gpu', advice: [expect.stringContaining('shader-f16')] })
})

test('the text has a section for each part, and none for an adapter that is not there', () => {
  const host = {
    system: 'Debian GNU/Linux 12 (bookworm)', platform: 'linux', arch: 'x64', processor: 'AMD EPYC', cores: 2,
    memory: 8 * 2 ** 30, freeMemory: 2 ** 30, node: '20.20.2', packages: { '@antipode/cli': '1.2.3', webgpu: null },
  }
  const report: DoctorReport = { schemaVersion: 1, ok: true, host, gpu, verdict: judge(gpu, debian12) }
  expect(doctorText(report)).toBe(`Host
  system     Debian GNU/Linux 12 (bookworm), linux x64
  processor  AMD EPYC, 2 cores
  memory     8.00 GiB, 1.00 GiB free
  Node       20.20.2
  packages   @antipode/cli 1.2.3, webgpu (not installed)

Adapter
  name         llvmpipe
  vendor       mesa, software
  driver       llvmpipe: Mesa 25.0.7
  computes on  the CPU (software adapter)
  features     f16 yes, subgroups of 8, timestamps no
  limits       buffers of 4.00 GiB, bindings of 128 MiB, 16 bindings a kernel, workgroup memory of 32.0 KiB

Measured in 3.0 s
  matmul f32   16.8 GFLOPS   16.0 ms for 512×512×512, right to 7e-7
  copy         8.39 GB/s     2.00 ms for 16.0 MiB
  elementwise  8.39 GB/s     2.00 ms for 16.0 MiB
  read back    8.39 GB/s     2.00 ms for 16.0 MiB
  peak memory  48.0 MiB

Verdict
  Ready: Antipode runs on this software adapter, that is on the CPU. Small models do; large ones need a GPU.
`)
  const without = doctorText({ ...report, ok: false, gpu: null, verdict: judgeFailure(noAdapter, debian12) })
  expect(without).not.toContain('Adapter\n')
  expect(without).toContain('\n\nVerdict\n  Antipode cannot run: no WebGPU adapter was found.\n  Install Mesa 25')
})

test('the host is described with versions that are really installed', () => {
  const host = describeHost()
  expect(host.node).toBe(process.versions.node)
  expect(host.cores).toBeGreaterThan(0)
  expect(host.packages['@antipode/cli']).toMatch(/^\d+\.\d+\.\d+/)
  expect(host.packages['webgpu']).toMatch(/^\d+\.\d+\.\d+/)
  expect(packageVersion('no-such-package-here')).toBeNull()
})

test('os-release is read with and without quotes', () => {
  expect(parseRelease('ID=debian\nVERSION_ID="12"\nPRETTY_NAME=\'A "B"\'\n# ID=no\n')).toEqual({ ID: 'debian', VERSION_ID: '12', PRETTY_NAME: 'A "B"' })
})

test('numbers keep three digits and bytes binary units', () => {
  expect([0.0123, 0.5, 1.234, 12.34, 123.4, 1234, 0].map(threeDigits)).toEqual(['0.0123', '0.500', '1.23', '12.3', '123', '1234', '0.0000'])
  expect([0, 512, 32_768, 1.5 * 2 ** 30].map(bytesText)).toEqual(['0 B', '512 B', '32.0 KiB', '1.50 GiB'])
})
