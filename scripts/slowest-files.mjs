// Lists the test files that took longest, where a run's time can be saved: a reporter of vitest, and what `.ci/run` prints.

import { relative } from 'node:path'

const listed = 10

/** The slowest of `{ file, project, seconds }`, a line each, paths from `root`. */
export function slowestFiles(rows, root = process.cwd()) {
  const slowest = rows.toSorted((a, b) => b.seconds - a.seconds).slice(0, listed)
  const all = rows.reduce((sum, { seconds }) => sum + seconds, 0)
  return [
    `the ${slowest.length} slowest of ${rows.length} test files, which took ${all.toFixed(0)} s:`,
    ...slowest.map(({ file, project, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${project.padEnd(7)}  ${relative(root, file)}`),
  ]
}

export class SlowestFiles {
  onTestRunEnd(modules) {
    const rows = modules.map((module) => ({ file: module.moduleId, project: module.project.name, seconds: module.diagnostic().duration / 1000 }))
    if (rows.length > listed) console.log(`\n${slowestFiles(rows).join('\n')}`)
  }
}
