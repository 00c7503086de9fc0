import type { Reporter } from 'vitest/node'

/** Lists the test files that took longest, at the end of a run. */
export class SlowestFiles implements Reporter {
  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']>
}

/** The slowest of the files, a line each, paths from `root`, the current folder by default. */
export function slowestFiles(rows: readonly { readonly file: string; readonly project: string; readonly seconds: number }[], root?: string): string[]
