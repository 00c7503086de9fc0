import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PhaseClock } from './phase-clock.ts'
import { barProgress, compilingProgress, durationText, lineProgress, silentProgress } from './index.ts'

beforeEach(() => { vi.useFakeTimers({ now: 1_000_000 }) })
afterEach(() => { vi.useRealTimers() })

const now = (): number => Date.now() / 1000

class Terminal extends Writable {
  readonly isTTY = true
  readonly columns = 120
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }

  /** What was written since the last call, without control sequences. */
  take(): string {
    // oxlint-disable-next-line no-control-regex
    const plain = this.text.replaceAll(/\x1B(\[[?\d;]*[A-Za-z]|[78])/g, '')
    this.text = ''
    return plain
  }
}

test('durations read as people say them, and carry over at the minute', () => {
  expect([0, 0.44, 9.94, 9.96, 59.4, 59.6, 185, 3599.6, 7620, Number.NaN].map(durationText)).toEqual([
    '0.0 s', '0.4 s', '9.9 s', '10 s', '59 s', '1 min 00 s', '3 min 05 s', '1 h 00 min', '2 h 07 min', '?',
  ])
})

test('the time left follows the pace of the last half minute, not the slow start', () => {
  const clock = new PhaseClock('work', 200, now)
  expect(clock.left).toBeNaN()
  vi.advanceTimersByTime(60_000)
  clock.advance(1, undefined)
  expect(clock.left).toBe(199 * 60)
  for (let i = 0; i < 59; i++) {
    vi.advanceTimersByTime(1000)
    clock.advance(1, undefined)
  }
  expect(clock.left).toBe(140)
  vi.advanceTimersByTime(1500)
  expect(clock.left).toBe(138.5)
  expect(clock.elapsed).toBe(120.5)
})

test('work beyond the total is not counted', () => {
  const clock = new PhaseClock('work', 2, now)
  clock.advance(5, undefined)
  expect(clock.value).toBe(2)
  expect(clock.left).toBe(0)
})

test('without a terminal a line comes at the start, about every five seconds and at the end', () => {
  const lines: string[] = []
  const progress = lineProgress({ write: (text) => lines.push(text) }, now)
  const phase = progress.phase('training', 40)
  for (let i = 0; i < 12; i++) {
    vi.advanceTimersByTime(1000)
    phase.advance(1, `loss ${12 - i}`)
  }
  phase.done('loss 1')
  phase.done()
  phase.advance()
  expect(lines).toEqual([
    'training ...\n',
    'training: 5 of 40, 12%, 5.0 s elapsed, 35 s left, loss 8\n',
    'training: 10 of 40, 25%, 10 s elapsed, 30 s left, loss 3\n',
    'training: done in 12 s, loss 1\n',
  ])
  progress.close()
  progress.phase('more', 1).done()
  expect(lines).toHaveLength(4)
})

test('on a terminal the bar moves with time and work and becomes a line', () => {
  const terminal = new Terminal()
  const progress = barProgress(terminal, now)
  const phase = progress.phase('sampling', 4)
  expect(terminal.take()).toBe('sampling [------------------------]  0%  0.0 s elapsed')
  vi.advanceTimersByTime(2000)
  expect(terminal.take()).toContain('  2.0 s elapsed')
  phase.advance(1, 'arm base')
  vi.advanceTimersByTime(300)
  expect(terminal.take()).toContain('sampling [######------------------] 25%  2.3 s elapsed, 5.8 s left  arm base')
  phase.advance(3)
  phase.done('400 images')
  expect(terminal.take()).toMatch(/sampling: done in 2\.3 s, 400 images\n$/)
  vi.advanceTimersByTime(5000)
  expect(terminal.take()).toBe('')
  expect(vi.getTimerCount()).toBe(0)
})

test('a phase inside another takes the terminal over and gives it back', () => {
  const terminal = new Terminal()
  const progress = barProgress(terminal, now)
  const outer = progress.phase('seeds', 2)
  const inner = progress.phase('training', 10)
  terminal.take()
  vi.advanceTimersByTime(1000)
  expect(terminal.take()).not.toContain('seeds')
  inner.done()
  terminal.take()
  outer.advance()
  expect(terminal.take()).toContain('seeds [############------------] 50%')
  outer.done()
  expect(vi.getTimerCount()).toBe(0)
})

test('closing in the middle of a phase stops the bar and shows the cursor again', () => {
  const terminal = new Terminal()
  const progress = barProgress(terminal, now)
  const phase = progress.phase('training', 10)
  progress.close()
  expect(terminal.text).toContain('\x1B[?25h')
  terminal.take()
  phase.advance()
  phase.done()
  expect(terminal.take()).toBe('')
  expect(vi.getTimerCount()).toBe(0)
})

test('silent progress takes all calls', () => {
  const phase = silentProgress.phase('anything', 1)
  phase.advance(1, 'note')
  phase.done()
  silentProgress.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('compiling shows on the phase begun last, and counts as no work', () => {
  const lines: string[] = []
  const progress = compilingProgress(lineProgress({ write: (text) => lines.push(text) }, now))
  progress.onCompile({ done: 0, total: 1 })
  progress.phase('sampling', 2).done()
  const phase = progress.phase('training', 40)
  vi.advanceTimersByTime(6000)
  progress.onCompile({ done: 3, total: 74 })
  vi.advanceTimersByTime(6000)
  progress.onCompile({ done: 74, total: 74 })
  phase.done()
  expect(lines.slice(2)).toEqual([
    'training ...\n',
    'training: 0 of 40, 0%, 6.0 s elapsed, compiling 3 of 74 kernels\n',
    'training: 0 of 40, 0%, 12 s elapsed, compiled 74 kernels\n',
    'training: done in 12 s\n',
  ])
})
