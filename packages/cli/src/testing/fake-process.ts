import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import type { Commands, Outcome } from '../commands.ts'
import { type CliHost, run } from '../run.ts'

/** What a command that was run says. */
export const done: Outcome = { data: { answer: 42 }, text: 'the answer is 42\n', exitCode: 0 }

/** A process that exists only here; commands that a test does not give fail it. */
export class FakeProcess extends EventEmitter {
  out = ''
  err = ''
  readonly exited: number[] = []
  /** What writing a result fails with. */
  refusal: Error | undefined

  run(argv: string, commands: Partial<Commands> = {}): Promise<number> {
    const never = (): never => { throw new Error('this command was not to run') }
    const host: CliHost = {
      commands: {
        doctor: never, demo: never, trainBase: never, trainPreference: never, trainOnline: never, trainPictures: never, generate: never, inspect: never,
        convert: never, reconstruct: never, cacheList: never, cacheClear: never, evalRun: never, evalWork: never,
        evalMerge: never, suite: never, bench: never, tune: never, ...commands,
      },
      version: '1.2.3',
      stdout: {
        write: async (text) => {
          if (this.refusal) throw this.refusal
          this.out += text
        },
      },
      stderr: new Writable({ write: (chunk, _encoding, next) => { this.err += String(chunk); next() } }),
      signals: this,
      exit: (code) => { this.exited.push(code) },
      now: () => 0,
    }
    return run(argv.split(' ').filter((word) => word !== ''), host)
  }
}
