import { bodies } from './bodies.ts'
import { games } from './games.ts'
import { nature } from './nature.ts'
import { places } from './places.ts'
import { signs } from './signs.ts'
import { smileys } from './smileys.ts'
import { symbols } from './symbols.ts'
import { tools } from './tools.ts'

const tables = [smileys, bodies, nature, places, games, tools, signs, symbols]
const written = new Map(tables.flatMap((table) => Object.entries(table)))

/** Phrases written by hand for an emoji, the plainest first, by its short name; none where the rules do well. */
export function writtenPhrases(shortName: string): readonly string[] | undefined {
  return written.get(shortName)?.split(' | ')
}
