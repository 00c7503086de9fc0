import type { Layout } from './layout.ts'

type Colour = readonly [red: number, green: number, blue: number]

/** Colours of a pixel at −1, at 1, and where it was driven out of that range. */
export interface Inks {
  readonly ground: Colour
  readonly ink: Colour
  readonly hot: Colour
}

/** Device pixels along a side of a cell. */
const cellSize = 112
const gap = 6

/** Inks of the theme that an element is shown in. */
export function inksOf(element: Element): Inks {
  const style = getComputedStyle(element)
  const read = (name: string): Colour => {
    const hex = Number.parseInt(style.getPropertyValue(name).trim().slice(1), 16)
    return [hex >> 16, (hex >> 8) & 255, hex & 255]
  }
  return { ground: read('--ground'), ink: read('--ink'), hot: read('--hot') }
}

/** Draws images `[N, side, side]` of values in about [−1, 1]; pixels beyond ±1.1 take on the hot ink, up to ±1.5. */
export function drawGrid(canvas: HTMLCanvasElement, images: Float32Array, { columns, rows }: Layout, side: number, inks: Inks): void {
  canvas.width = columns * (cellSize + gap) - gap
  canvas.height = rows * (cellSize + gap) - gap
  const context = canvas.getContext('2d')
  const scratch = new OffscreenCanvas(side, side)
  const pen = scratch.getContext('2d')
  if (!context || !pen) return
  context.imageSmoothingEnabled = false
  const area = side * side
  for (let n = 0; n < columns * rows; n++) {
    const pixels = pen.createImageData(side, side)
    for (let i = 0; i < area; i++) paint(pixels.data, 4 * i, images[n * area + i] ?? -1, inks)
    pen.putImageData(pixels, 0, 0)
    const [x, y] = [(n % columns) * (cellSize + gap), Math.floor(n / columns) * (cellSize + gap)]
    context.save()
    context.beginPath()
    context.roundRect(x, y, cellSize, cellSize, 10)
    context.clip()
    context.drawImage(scratch, x, y, cellSize, cellSize)
    context.restore()
  }
}

function paint(data: Uint8ClampedArray, at: number, value: number, { ground, ink, hot }: Inks): void {
  const darkness = Math.min(1, Math.max(0, (value + 1) / 2))
  const excess = Math.min(1, Math.max(0, Math.abs(value) - 1.1) / 0.4)
  for (let c = 0; c < 3; c++) {
    const plain = (ground[c] ?? 0) * (1 - darkness) + (ink[c] ?? 0) * darkness
    data[at + c] = plain * (1 - excess) + (hot[c] ?? 0) * excess
  }
  data[at + 3] = 255
}
