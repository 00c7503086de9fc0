import { Device } from '@antipode/core'
import { adviceFor } from './advice.ts'
import { type ArmId, available, type OffsetName } from './arms.ts'
import { controlsIn } from './controls.ts'
import { layoutOf } from './layout.ts'
import { type CheckpointFile, loadModel, type PlaygroundModel, shippedFiles } from './model.ts'
import { panelIn } from './panel.ts'
import { type Frame, sampleArms } from './sampling.ts'
import { parseSettings, type Settings, settingsHash } from './settings.ts'

const find = <E extends HTMLElement>(selector: string): E => {
  const found = document.querySelector<E>(selector)
  if (!found) throw new TypeError(`playground: expected ${selector} in the page`)
  return found
}
const runButton = find<HTMLButtonElement>('#run')
const slider = find<HTMLInputElement>('#step')
const status = find<HTMLOutputElement>('#status')
const live = find<HTMLInputElement>('#live')
const sides = ['left', 'right'] as const
const panels = sides.map((side) => panelIn(find(`[data-side="${side}"]`), side))

let settings: Settings = parseSettings(location.hash)
/** Arms as the reader chose them, also while the model lacks an offset they need. */
let wanted: Pick<Settings, 'left' | 'right'> = settings
let device: Device | undefined
let model: PlaygroundModel | undefined
let running: AbortController | undefined
let finished: Promise<void> = Promise.resolve()
let frames: Frame[] = []
let shownLayout = layoutOf(settings.digits, settings.each)
let compileNote = ''

const controls = controlsIn(find('#digits'), find('#sliders'), () => changed(controls.read(settings)))
panels.forEach(({ select }, i) => select.addEventListener('change', () => changed({ ...settings, [sides[i] ?? 'left']: select.value as ArmId })))
slider.addEventListener('input', () => show(slider.valueAsNumber))
runButton.addEventListener('click', () => { if (running) running.abort(); else void start() })
find('#controls').addEventListener('submit', (event) => { event.preventDefault(); void start() })
find<HTMLInputElement>('#files').addEventListener('change', ({ target }) => {
  const files = [...((target as HTMLInputElement).files ?? [])]
  void useFiles(files.map((file) => ({ name: file.name, blob: async () => file })))
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { if (frames.length > 0) show(slider.valueAsNumber); else drawEmpty() })
window.addEventListener('hashchange', () => changed(parseSettings(location.hash, settings)))

describe()
void boot()

async function boot(): Promise<void> {
  try {
    device = await Device.request({ powerPreference: 'high-performance' })
  } catch (error) {
    const { problem, remedies } = adviceFor({ secure: isSecureContext, api: 'gpu' in navigator, userAgent: navigator.userAgent })
    status.textContent = 'No WebGPU'
    notice(problem, remedies)
    console.info(error)
    return
  }
  void device.gpu.lost.then(({ message }) => {
    running?.abort()
    notice(`The GPU was lost: ${message || 'the driver restarted'}.`, ['Reload the page to ask for it again.'])
  })
  live.checked = !device.adapter.software
  // On the CPU a first picture should not take minutes.
  if (device.adapter.software && location.hash === '') settings = { ...settings, each: 2, steps: 12 }
  await useFiles(shippedFiles)
}

/** Loads checkpoints and, when that gave a model, draws with it. */
async function useFiles(files: readonly CheckpointFile[]): Promise<void> {
  if (!device || files.length === 0 && model) return
  status.textContent = 'Loading the model…'
  try {
    await stop()
    model = await loadModel(device, files, model)
  } catch (error) {
    status.textContent = model ? '' : 'No model'
    notice(error instanceof Error ? error.message : String(error), [])
    return
  }
  sayWhatIsMissing(model.offsets)
  fitArms()
  describe()
  runButton.disabled = false
  await start()
}

/** Without offsets the page still works, with fewer arms. */
function sayWhatIsMissing(present: ReadonlySet<OffsetName>): void {
  const missing = (['eta', 'delta'] as const).filter((name) => !present.has(name))
  find('#notice').hidden = true
  if (missing.length === 0) return
  const what = missing.length === 2 ? 'Only the base model is here' : `The offset ${missing[0] === 'eta' ? 'η' : 'δ'} is not here`
  notice(`${what}, so arms that need more are switched off.`, [
    'Train both offsets with `npm run demo`, then open the eta and delta files below.',
    'Until then, compare guidance with none, and see what w does.',
  ], 'info')
}

/** The arms last asked for, or the nearest to them that the model can do. */
function fitArms(): void {
  const present = model?.offsets ?? new Set<OffsetName>()
  const right = available(wanted.right, present) ? wanted.right : 'base'
  const left = available(wanted.left, present) && wanted.left !== right ? wanted.left : 'unguided'
  settings = { ...settings, left, right }
}

function changed(next: Settings): void {
  settings = next
  wanted = next
  describe()
  history.replaceState(null, '', settingsHash(settings))
  if (live.checked && model) void start()
}

function describe(): void {
  controls.write(settings)
  for (const panel of panels) panel.describe(settings, model?.offsets ?? new Set())
  if (frames.length === 0) drawEmpty()
  facts()
}

async function stop(): Promise<void> {
  running?.abort()
  await finished
}

async function start(): Promise<void> {
  await stop()
  if (!device || !model) return
  const controller = new AbortController()
  running = controller
  finished = run(device, model, controller.signal)
  await finished
}

async function run(on: Device, using: PlaygroundModel, signal: AbortSignal): Promise<void> {
  const { steps } = settings
  shownLayout = layoutOf(settings.digits, settings.each)
  frames = []
  runButton.textContent = 'Stop'
  slider.max = `${steps}`
  slider.disabled = true
  const begun = performance.now()
  const { pipelines } = on.counters()
  status.textContent = 'Compiling shaders…'
  try {
    for await (const frame of sampleArms(on, using, settings, shownLayout.labels, signal)) {
      frames.push(frame)
      show(frames.length - 1)
      // The browser paints between steps, however fast they are.
      await new Promise(requestAnimationFrame)
    }
    const seconds = (performance.now() - begun) / 1000
    status.textContent = `${2 * shownLayout.labels.length} images in ${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
    document.documentElement.dataset['state'] = 'done'
  } catch (error) {
    if (signal.aborted) status.textContent = 'Stopped'
    else notice(error instanceof Error ? error.message : String(error), ['Reload the page, or ask for fewer images.'])
  } finally {
    const compiled = on.counters().pipelines - pipelines
    if (compiled > 0) compileNote = `${compiled}, compiled in the first step`
    running = undefined
    runButton.textContent = 'Sample'
    slider.disabled = frames.length === 0
    facts()
  }
}

/** Cells without images, until there are some. */
function drawEmpty(): void {
  const layout = layoutOf(settings.digits, settings.each)
  for (const panel of panels) panel.draw(new Float32Array(layout.labels.length).fill(-1), layout, 1, 0)
}

/** Shows what both arms had after so many steps. */
function show(step: number): void {
  const frame = frames[step]
  if (!frame || !model) return
  slider.value = `${step}`
  const { side } = model
  panels.forEach((panel, i) => {
    panel.draw(frame.images[i] ?? new Float32Array(), shownLayout, side, step)
    panel.pace(frames.slice(1).map(({ time }) => time[i] ?? 0), step)
  })
  status.textContent = frame.timestep === undefined ? 'The noise both start from' : `Step ${step} of ${slider.max}, t = ${frame.timestep}`
}

function facts(): void {
  const rows: [string, string][] = []
  if (device) {
    const { adapter, target } = device
    rows.push(['Adapter', [adapter.vendor, adapter.architecture].filter(Boolean).join(' ') || 'unnamed'])
    if (adapter.description) rows.push(['Described as', adapter.description])
    rows.push(['Kind', adapter.software ? 'software, on the CPU' : 'GPU'])
    rows.push(['Half precision', target.f16 ? 'yes' : 'no'], ['Subgroups', target.subgroupSize > 0 ? `of ${target.subgroupSize}` : 'not of one size'])
    rows.push(['GPU memory in use', `${(device.memory().live / 2 ** 20).toFixed(1)} MiB`])
  }
  if (compileNote) rows.push(['Shaders', compileNote])
  if (model) {
    rows.push(['Model', `${model.name}, ${model.unet.parameterCount.toLocaleString('en')} parameters`])
    rows.push(['Offsets', [...model.offsets].map((name) => ({ eta: 'η (DPO)', delta: 'δ (NPO)' })[name]).join(', ') || 'none'])
  }
  find('#facts').replaceChildren(...rows.flatMap(([term, value]) =>
    [Object.assign(document.createElement('dt'), { textContent: term }), Object.assign(document.createElement('dd'), { textContent: value })]))
}

/** Says what is wrong, or worth knowing, and what to do; text between backticks is shown as code. */
function notice(title: string, remedies: readonly string[], tone: 'problem' | 'info' = 'problem'): void {
  const box = find('#notice')
  box.hidden = false
  box.dataset['tone'] = tone
  const fill = (target: Element, text: string): void => target.replaceChildren(...text.split('`').map((part, i) =>
    i % 2 === 1 ? Object.assign(document.createElement('code'), { textContent: part }) : document.createTextNode(part)))
  fill(find('#notice h2'), title)
  find('#notice ul').replaceChildren(...remedies.map((text) => {
    const item = document.createElement('li')
    fill(item, text)
    return item
  }))
}
