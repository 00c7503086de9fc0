import { type Arm, type ArmId, armIds, arms, available, formula, type OffsetName } from './arms.ts'
import { drawGrid, inksOf } from './grid.ts'
import type { Layout } from './layout.ts'
import type { Settings } from './settings.ts'

/** One of the two grids with its menu, formulas and pace. */
export interface Panel {
  readonly select: HTMLSelectElement
  /** Shows which arms the model allows, and the chosen one's formulas. */
  describe(settings: Settings, present: ReadonlySet<OffsetName>): void
  draw(images: Float32Array, layout: Layout, side: number, step: number): void
  pace(milliseconds: readonly number[], shown: number): void
}

/** Fills a figure. */
export function panelIn(figure: HTMLElement, side: 'left' | 'right'): Panel {
  const select = document.createElement('select')
  select.setAttribute('aria-label', `What the ${side} grid shows`)
  for (const id of armIds) select.add(new Option(arms[id].name, id))
  const says = element('p', 'says')
  const branches = element('dl', 'branches')
  const columns = element('div', 'columns')
  columns.setAttribute('aria-hidden', 'true')
  const canvas = document.createElement('canvas')
  canvas.setAttribute('role', 'img')
  const bars = element('div', 'bars')
  bars.setAttribute('aria-hidden', 'true')
  const time = element('span', 'time')
  const pace = element('div', 'pace')
  pace.append(bars, time)
  figure.replaceChildren(select, says, branches, columns, canvas, pace)

  return {
    select,
    describe(settings, present) {
      for (const option of select.options) option.disabled = !available(option.value as ArmId, present)
      const id = settings[side]
      const arm: Arm = arms[id]
      select.value = id
      says.textContent = arm.says
      const rows = [['towards', formula(arm.positive)], ['away from', arm.guided ? formula(arm.negative(settings)) : 'nothing']]
      branches.replaceChildren(...rows.flatMap(([term = '', value = '']) => {
        const [dt, dd] = [element('dt'), element('dd')]
        dt.textContent = term
        dd.textContent = value
        return [dt, dd]
      }))
    },
    draw(images, layout, size, step) {
      columns.style.gridTemplateColumns = `repeat(${layout.columns}, 1fr)`
      columns.replaceChildren(...Array.from(layout.labels.subarray(0, layout.columns), (digit) => {
        const label = element('span')
        label.textContent = `${digit}`
        return label
      }))
      drawGrid(canvas, images, layout, size, inksOf(figure))
      const digits = [...new Set(layout.labels)].join(', ')
      canvas.setAttribute('aria-label', `${layout.labels.length} images of the digits ${digits}, ${arms[select.value as ArmId].name}, step ${step}`)
    },
    pace(milliseconds, shown) {
      const longest = Math.max(1, ...milliseconds)
      bars.replaceChildren(...milliseconds.map((ms, i) => {
        const bar = element('i', i < shown ? 'shown' : '')
        bar.style.height = `${(100 * ms) / longest}%`
        bar.title = `step ${i + 1}: ${ms.toFixed(0)} ms`
        return bar
      }))
      const median = [...milliseconds].sort((a, b) => a - b)[Math.floor(milliseconds.length / 2)]
      time.textContent = median === undefined ? '' : `${median < 10 ? median.toFixed(1) : median.toFixed(0)} ms a step`
    },
  }
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  if (className !== '') made.className = className
  return made
}
