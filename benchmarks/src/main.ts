import { join } from 'node:path'
import { checkFile, openFolder } from '@antipode/core/io'
import { libraries } from './libraries.ts'
import { parseOptions, resultFiles, usage } from './options.ts'

// A mistake is answered before the workloads are loaded, or at the latest before anything is built.

/** What `work` gives; a mistake in the command line ends the process. */
async function understood<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return process.exit(2)
  }
}

const asked = await understood(async () => {
  const parsed = parseOptions(process.argv.slice(2), { home: join(import.meta.dirname, '..'), libraries: Object.keys(libraries) })
  if ('run' in parsed && parsed.run.out !== undefined) {
    const name = { command: 'benchmarks', option: '--out' }
    await openFolder(name, parsed.run.out)
    for (const file of Object.values(resultFiles)) await checkFile(name, join(parsed.run.out, file))
  }
  return parsed
})
if ('help' in asked) console.log(usage)
else {
  const { list, run, workloadsOf } = await import('./bench.ts')
  if ('list' in asked) console.log(list())
  else await run(await understood(() => workloadsOf(asked.run.workloads)), asked.run)
}
