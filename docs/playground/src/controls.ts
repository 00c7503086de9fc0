import { arms } from './arms.ts'
import { type NumberName, numberNames, ranges, type Settings } from './settings.ts'

const words: Readonly<Record<NumberName, readonly [label: string, note: string]>> = {
  w: ['Guidance scale w', '1 is none'],
  alpha: ['α, share of η', 'in the negative branch'],
  beta: ['β, share of δ', 'in the negative branch'],
  steps: ['Steps', 'DPM-Solver++ (2M)'],
  each: ['Images of each digit', 'from the same noises'],
  seed: ['Seed', 'of the noise'],
}
const order: readonly NumberName[] = ['w', 'alpha', 'beta', 'steps', 'each', 'seed']

/** The form below the grids. */
export interface Controls {
  /** What the form says, the arms as in `previous`. */
  read(previous: Settings): Settings
  write(settings: Settings): void
}

/** Fills the form; `changed` is called whenever the reader has chosen something. */
export function controlsIn(digits: HTMLElement, sliders: HTMLElement, changed: () => void): Controls {
  const boxes = Array.from({ length: 10 }, (_, digit) => {
    const label = document.createElement('label')
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', value: `${digit}` })
    box.setAttribute('aria-label', `digit ${digit}`)
    const face = document.createElement('span')
    face.textContent = `${digit}`
    label.append(box, face)
    digits.append(label)
    return box
  })
  const inputs = new Map<NumberName, { input: HTMLInputElement; output: HTMLOutputElement; label: HTMLElement }>()
  for (const name of order) {
    const { min, max, step } = ranges[name]
    const [title, note] = words[name]
    const label = Object.assign(document.createElement('label'), { className: 'slider' })
    const input = Object.assign(document.createElement('input'), { type: name === 'seed' ? 'number' : 'range', min: `${min}`, max: `${max}`, step: `${step}` })
    input.name = name
    const caption = Object.assign(document.createElement('span'), { textContent: title })
    const output = document.createElement('output')
    const small = Object.assign(document.createElement('small'), { textContent: note })
    label.append(caption, output, input, small)
    sliders.append(label)
    inputs.set(name, { input, output, label })
    input.addEventListener('input', () => { if (name !== 'seed') output.textContent = input.value })
    input.addEventListener('change', changed)
  }
  for (const box of boxes) {
    box.addEventListener('change', () => {
      // A grid of no digits would be no grid: the last one stays.
      if (!boxes.some(({ checked }) => checked)) box.checked = true
      changed()
    })
  }
  return {
    read(previous) {
      const read = (name: NumberName): number => {
        const { min, max } = ranges[name]
        const value = inputs.get(name)?.input.valueAsNumber ?? Number.NaN
        return Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : previous[name]
      }
      const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => Number(value))
      return { ...previous, ...Object.fromEntries(numberNames.map((name) => [name, read(name)])), digits: chosen }
    },
    write(settings) {
      for (const box of boxes) box.checked = settings.digits.includes(Number(box.value))
      const used: Readonly<Partial<Record<NumberName, boolean>>> = {
        alpha: settings.left === 'merged' || settings.right === 'merged',
        beta: [settings.left, settings.right].some((id) => (arms[id].needs as readonly string[]).includes('delta')),
      }
      for (const [name, { input, output, label }] of inputs) {
        input.value = `${settings[name]}`
        output.textContent = name === 'seed' ? '' : `${settings[name]}`
        label.classList.toggle('off', used[name] === false)
      }
    },
  }
}
