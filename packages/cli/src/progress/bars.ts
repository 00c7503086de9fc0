import { SingleBar } from 'cli-progress'
import { durationText } from './duration.ts'
import { doneText } from './lines.ts'
import { PhaseClock } from './phase-clock.ts'
import type { ClosableProgress, PhaseHandle } from './progress.ts'

/** Characters of a bar. */
const barWidth = 24

/**
 * Progress as bars on a terminal: one bar at a time with the time elapsed and left, redrawn four times a second, which
 * becomes a plain line when its phase ends. A phase begun inside another hides the outer bar until that advances.
 * @param stream a terminal
 * @param now a monotonic clock in seconds
 */
export function barProgress(stream: NodeJS.WritableStream, now: () => number): ClosableProgress {
  let open = true
  let shown: { readonly clock: PhaseClock; readonly bar: SingleBar } | undefined
  const hide = (): void => {
    shown?.bar.stop()
    shown = undefined
  }
  const show = (clock: PhaseClock): void => {
    if (!open || shown?.clock === clock) return
    hide()
    const bar = new SingleBar({
      stream,
      // The library's own estimate counts from its last few updates; the clock's is steadier and is what logs show too.
      format: () => barText(clock),
      fps: 4,
      hideCursor: true,
      linewrap: false,
      clearOnComplete: true,
      // Interrupts are the program's business.
      gracefulExit: false,
    })
    shown = { clock, bar }
    bar.start(clock.total, clock.value)
  }
  return {
    phase(title, total): PhaseHandle {
      const clock = new PhaseClock(title, total, now)
      let running = true
      show(clock)
      return {
        advance(n = 1, note): void {
          if (!running) return
          clock.advance(n, note)
          show(clock)
          shown?.bar.update(clock.value)
        },
        done(note): void {
          if (!running) return
          running = false
          const other = shown?.clock === clock ? undefined : shown?.clock
          hide()
          if (open) stream.write(`${doneText(clock, note)}\n`)
          if (other) show(other)
        },
      }
    },
    close(): void {
      hide()
      open = false
    },
  }
}

/** "title [#####-----] 50%  12 s elapsed, 11 s left  note". */
function barText(clock: PhaseClock): string {
  const share = clock.value / clock.total
  const filled = Math.round(share * barWidth)
  const bar = `${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}`
  const left = Number.isNaN(clock.left) ? '' : `, ${durationText(clock.left)} left`
  const percent = `${Math.floor(100 * share)}%`.padStart(4)
  return `${clock.title} [${bar}]${percent}  ${durationText(clock.elapsed)} elapsed${left}  ${clock.note}`.trimEnd()
}
