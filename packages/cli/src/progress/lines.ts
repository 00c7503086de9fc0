import { durationText } from './duration.ts'
import { PhaseClock } from './phase-clock.ts'
import type { ClosableProgress, PhaseHandle } from './progress.ts'

/** Where lines go: a stream or a stand-in for one. */
export interface TextSink {
  write(text: string): unknown
}

/** Seconds between two lines about one phase. */
const interval = 5

/**
 * Progress in plain lines, for logs and pipes: one when a phase begins, one about every 5 s of it in which work was
 * done, and one when it ends.
 * @param now a monotonic clock in seconds
 */
export function lineProgress(sink: TextSink, now: () => number): ClosableProgress {
  let open = true
  const say = (text: string): void => {
    if (open) sink.write(`${text}\n`)
  }
  return {
    phase(title, total): PhaseHandle {
      const clock = new PhaseClock(title, total, now)
      let spoken = now()
      let running = true
      say(`${title} ...`)
      return {
        advance(n = 1, note): void {
          if (!running) return
          clock.advance(n, note)
          if (now() - spoken < interval) return
          spoken = now()
          say(`${progressText(clock)}${clock.note === '' ? '' : `, ${clock.note}`}`)
        },
        done(note): void {
          if (!running) return
          running = false
          say(doneText(clock, note))
        },
      }
    },
    close(): void {
      open = false
    },
  }
}

/** "title: 12 of 40, 30%, 8.2 s elapsed, 19 s left". */
function progressText(clock: PhaseClock): string {
  const share = Math.floor((100 * clock.value) / clock.total)
  const left = Number.isNaN(clock.left) ? '' : `, ${durationText(clock.left)} left`
  return `${clock.title}: ${clock.value} of ${clock.total}, ${share}%, ${durationText(clock.elapsed)} elapsed${left}`
}

/** "title: done in 12 s, note". */
export function doneText(clock: PhaseClock, note: string | undefined): string {
  return `${clock.title}: done in ${durationText(clock.elapsed)}${note ? `, ${note}` : ''}`
}
