/** Places whose names differ from those of the data, by the two letters of their flags. */
const others: Readonly<Record<string, string>> = {
  ci: 'ivory coast', tr: 'turkey', hk: 'hong kong', mo: 'macao', mm: 'myanmar', cd: 'the democratic republic of the congo',
  cg: 'the republic of the congo', cc: 'the cocos islands',
  gs: 'south georgia and the south sandwich islands', hm: 'heard island and the mcdonald islands',
  vc: 'saint vincent and the grenadines', um: 'the us outlying islands', vi: 'the us virgin islands',
}

/** Names that English sets an article before. */
const withThe =
  /islands$|territor(?:y|ies)$|republic$|netherlands$|kingdom$|states$|emirates$|nations$|^european union|^philippines|^bahamas|^maldives|^gambia|^comoros|^isle of/

/** What the flag of a place is called. @param name of the data: "Egypt Flag" @param shortName "flag-eg" */
export function flagPhrases(name: string, shortName: string): string[] {
  const place = placeOf(name, shortName)
  const bare = place.replace(/^the /, '')
  return [`the flag of ${place}`, `${bare} flag`, `waving flag of ${place}`]
}

function placeOf(name: string, shortName: string): string {
  const other = others[shortName.replace(/^flag-/, '')]
  if (other !== undefined) return other
  const place = plain(name).replace(/ flag$/, '')
  return withThe.test(place) ? `the ${place}` : place
}

/** Lower-case letters without accents, and words for signs. */
function plain(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
    .replace(/\([^)]*\)/g, ' ').replaceAll('&', ' and ').replaceAll('st.', 'saint').replace(/[.,]/g, '').replaceAll('’', "'")
    .replace(/\s+/g, ' ').trim()
}
