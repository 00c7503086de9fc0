import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { chromiumPath } from './chromium.mjs'
import { agrees, asks } from './consent.mjs'
import { installAdvice } from './install-advice.mjs'
import { installSteps, runSteps, shellText } from './install-plan.mjs'

const linux = { platform: 'linux', distributions: [], codename: '', apt: false, root: false, sources: [], keyring: undefined }
const debian12 = { ...linux, distributions: ['debian'], codename: 'bookworm', apt: true, keyring: '/keys/debian.gpg' }
const ubuntu = { ...linux, distributions: ['ubuntu', 'debian'], codename: 'noble', apt: true }
const apt = 'sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300'
const texts = (missing, system) => installSteps(missing, system).map((step) => shellText(step, system))

test('Debian 12 gets Mesa from backports, which are added once, and Chromium from the release', () => {
  const add = 'echo \'deb [signed-by=/keys/debian.gpg] http://deb.debian.org/debian bookworm-backports main\' | sudo tee /etc/apt/sources.list.d/bookworm-backports.list'
  const rest = [
    `${apt} update -q`,
    `${apt} install -q -y --no-install-recommends -t bookworm-backports mesa-vulkan-drivers libvulkan1`,
    `${apt} install -q -y --no-install-recommends chromium`,
  ]
  expect(texts(['adapter', 'browser'], debian12)).toEqual([add, ...rest])
  const backports = { uri: 'http://a.example', suites: ['bookworm-backports'], components: ['main'] }
  expect(texts(['adapter', 'browser'], { ...debian12, sources: [backports] })).toEqual(rest)
  expect(texts(['queue'], debian12).at(-1)).toMatch(/ install .* redis-server$/)
  expect(texts(['browser'], debian12)).toEqual([rest[0], rest[2]])
  expect(texts(['adapter'], { ...debian12, root: true })[0]).toBe(add.replace('sudo ', ''))
})

test('later Debians and Ubuntu need no backports, and nothing is planned where apt cannot help', () => {
  expect(texts(['adapter'], { ...debian12, codename: 'trixie' })).toEqual([`${apt} update -q`, `${apt} install -q -y --no-install-recommends mesa-vulkan-drivers libvulkan1`])
  expect(texts(['adapter', 'browser'], ubuntu)).toEqual(texts(['adapter'], ubuntu))
  expect(texts(['browser'], ubuntu)).toEqual([])
  for (const system of [linux, { ...debian12, apt: false }, { ...linux, apt: true, distributions: ['fedora'] }]) expect(texts(['adapter', 'browser'], system)).toEqual([])
  expect(texts([], debian12)).toEqual([])
})

test.each([
  ['macOS', { ...linux, platform: 'darwin' }, ['update macOS', 'brew install --cask google-chrome']],
  ['Windows', { ...linux, platform: 'win32' }, ['Direct3D 12', 'winget install --id Google.Chrome']],
  ['Fedora', { ...linux, distributions: ['fedora'] }, ['sudo dnf install -y mesa-vulkan-drivers vulkan-loader', 'sudo dnf install -y chromium']],
  ['Arch', { ...linux, distributions: ['arch'] }, ['sudo pacman -S --needed vulkan-swrast vulkan-icd-loader', 'sudo pacman -S --needed chromium']],
  ['Ubuntu', ubuntu, [`  ${apt} install -q -y --no-install-recommends mesa-vulkan-drivers libvulkan1`, 'Chrome\'s package from https://www.google.com/chrome']],
  ['another Linux', linux, ['packages of Mesa\'s Vulkan drivers', 'ANTIPODE_CHROMIUM']],
])('%s is told what to do, and nothing of other systems', (_, system, expected) => {
  const advice = installAdvice(['adapter', 'browser'], system)
  for (const words of expected) expect(advice.join('\n')).toContain(words)
  for (const other of ['apt-get', 'dnf', 'pacman', 'brew', 'winget']) {
    if (!expected.some((words) => words.includes(other))) expect(advice.join('\n')).not.toContain(other)
  }
  expect(advice.at(-1)).toBe('Then run the command again.')
})

test('advice on Debian is the commands that set-up runs', () => {
  expect(installAdvice(['adapter'], debian12)).toEqual(['Run (sudo asks for your password):', ...texts(['adapter'], debian12).map((text) => `  ${text}`), 'Then run the command again.'])
})

test.each([
  [{}, true], [{ CI: '' }, true], [{ CI: 'false' }, true], [{ CI: 'true' }, false], [{ CI: '1' }, false], [{ ANTIPODE_SETUP: 'yes' }, false],
])('at a terminal with %j a person is asked: %s', (env, asked) => {
  const tty = { isTTY: true }
  expect(asks({ stdin: tty, stderr: tty, env })).toBe(asked)
  expect(asks({ stdin: {}, stderr: tty, env })).toBe(false)
  expect(asks({ stdin: tty, stderr: {}, env })).toBe(false)
})

test('an answer that ANTIPODE_SETUP has not is refused', () => {
  expect(() => asks({ stdin: {}, stderr: {}, env: { ANTIPODE_SETUP: 'no' } })).toThrow("expected ANTIPODE_SETUP to be yes, or not to be set, got 'no'")
})

test.each([['\n', true], ['y\n', true], ['YES\n', true], ['n\n', false], ['No\n', false], ['', false], ['what?\nn\n', false], ['what?\n\n', true]])('%j is agreement: %s', async (typed, agreed) => {
  const [input, output] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })]
  input.end(typed)
  expect(await agrees('Now? ', { input, output })).toBe(agreed)
  expect(output.read()).toBe(`Now? ${typed.startsWith('what') ? 'Enter for yes, n for no: ' : ''}`)
})

test('steps are said as they are run, and none follows one that failed', () => {
  const said = []
  const steps = [{ args: ['true'] }, { args: ['grep', '-qx', 'a line'], input: 'a line' }, { args: ['false'] }, { args: ['touch', '/nowhere/at/all'] }]
  expect(runSteps(steps, { root: true }, { attended: false, say: (text) => said.push(text) })).toBe('false')
  expect(said).toEqual(['true', 'echo \'a line\' | grep -qx a line', 'false'])
  expect(runSteps(steps.slice(0, 2), { root: true }, { attended: false, say: () => undefined })).toBeUndefined()
})

test('a browser that the environment names is taken, and never another in its place', () => {
  onTestFinished(() => { vi.unstubAllEnvs() })
  vi.stubEnv('ANTIPODE_CHROMIUM', process.execPath)
  expect(chromiumPath()).toBe(process.execPath)
  for (const path of ['/nowhere/chrome', import.meta.dirname]) {
    vi.stubEnv('ANTIPODE_CHROMIUM', path)
    expect(chromiumPath).toThrow(`expected ANTIPODE_CHROMIUM to be the path of a program, got ${path}`)
  }
  vi.stubEnv('ANTIPODE_CHROMIUM', '')
  expect(chromiumPath).not.toThrow()
})
