import { plain } from '../words/index.ts'

/** Names in Unicode's style, and what they are called beside. */
const also: Readonly<Record<string, readonly string[]>> = {
  'congo - kinshasa': ['the democratic republic of the congo'],
  'congo - brazzaville': ['the republic of the congo'],
  "cote d'ivoire": ["cote d'ivoire", 'ivory coast'],
  'hong kong sar china': ['hong kong'],
  'macao sar china': ['macao', 'macau'],
  myanmar: ['myanmar', 'burma'],
  'south georgia and south sandwich islands': ['south georgia and the south sandwich islands'],
  'heard and mcdonald islands': ['heard and mcdonald islands'],
  'saint vincent and grenadines': ['saint vincent and the grenadines'],
  turkiye: ['turkey', 'turkiye'],
  czechia: ['czechia', 'the czech republic'],
  'united states': ['the united states', 'the usa'],
  'united kingdom': ['the united kingdom', 'great britain'],
  'united arab emirates': ['the united arab emirates', 'the uae'],
  'european union': ['the european union', 'europe'],
  eswatini: ['eswatini', 'swaziland'],
  'timor-leste': ['timor-leste', 'east timor'],
  'palestinian territories': ['palestine', 'the palestinian territories'],
}
const several = /\b(islands|territor|republic|kingdom|states|emirates|union|nations|isle of|netherlands|philippines|bahamas|gambia|maldives|comoros|seychelles)/

/** What the flag of a country or region is called: "the flag of japan", "japan flag". @param name "Japan Flag" */
export function flagPhrases(name: string): readonly string[] {
  const place = plain(name).replace(/ flag$/, '')
  const places = also[place] ?? [several.test(place) ? `the ${place}` : place]
  const [first = place] = places
  return [...places.map((one) => `the flag of ${one}`), `${first.replace(/^the /, '')} flag`]
}
