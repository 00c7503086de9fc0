import type { Command } from 'commander'
import { type Adding, examples, hint } from './program-parts.ts'

/** Adds `cache`. */
export function addCache(program: Command, { commands, start, finish }: Adding): void {
  const cache = program
    .command('cache')
    .summary('list or drop files of the network that are kept')
    .description(
      'Checkpoints that were opened at hf:owner/name or an address are kept in the directory that ANTIPODE_CACHE names, or ' +
        "where this user's caches are.",
    )
    .addHelpText('after', examples(['antipode cache list', 'antipode cache clear hf:owner/name', 'antipode cache clear']))
  hint(cache)
  const add = (name: string, summary: string, run: typeof commands.cacheList): void => {
    const command = cache.command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .argument('[address]', 'hf:owner/name, or what addresses begin with; all by default')
    hint(command)
    command.action(async (of?: string) => {
      start({ resumes: false })
      finish(await run(of === undefined ? {} : { of }))
    })
  }
  add('list', 'say which files are kept', (options) => commands.cacheList(options))
  add('clear', 'drop files that are kept', (options) => commands.cacheClear(options))
}
