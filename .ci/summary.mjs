// Prints the phases of a run with their times and the slowest test files, then `N passed, N failed`: the tests of all
// vitest reports, and one for each phase that has no report. Exits 1 if anything failed, or if nothing ran.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { slowestFiles } from '../scripts/slowest-files.mjs'

const [reports, seconds] = process.argv.slice(2)
let passed = 0
let failed = 0
const files = []

for (const line of readFileSync(join(reports, 'phases'), 'utf8').split('\n').filter(Boolean)) {
  const [name, status, duration, cpu] = line.split(' ')
  const file = join(reports, `${name}.json`)
  let counts = ''
  if (existsSync(file)) {
    const report = JSON.parse(readFileSync(file, 'utf8'))
    // A file that cannot even be loaded has no tests: it counts as one failure.
    const broken = report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0).length
    passed += report.numPassedTests
    for (const { name: path, startTime, endTime } of report.testResults) files.push({ file: path, project: name, seconds: (endTime - startTime) / 1000 })
    failed += report.numFailedTests + broken
    counts = `${report.numPassedTests} passed, ${report.numFailedTests + broken} failed, ${report.numPendingTests} skipped`
    if (status !== 'ok' && report.numFailedTests + broken === 0) failed += 1
  } else if (status === 'ok') passed += 1
  else failed += 1
  console.log(`${name.padEnd(10)} ${status.padEnd(7)} ${duration.padStart(5)} s ${cpu.padStart(5)} s CPU  ${counts}`.trimEnd())
}
if (files.length > 0) console.log(slowestFiles(files).join('\n'))
console.log(`all phases took ${seconds} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
