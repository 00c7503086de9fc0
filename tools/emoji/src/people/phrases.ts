import { withArticle } from '../words/index.ts'
import { acts, otherRoles } from './acts.ts'
import type { Person } from './person.ts'

const his = { man: 'his', woman: 'her', person: 'their' }
const male = { man: 'male', woman: 'female' }

/** What a person is called, the plainest first: "a woman astronaut", "a man running facing right". */
export function personPhrases({ who, act, right }: Person): readonly string[] {
  const template = acts[act] ?? (who === 'person' && / |ing$/.test(act) ? `{who} ${act}` : undefined)
  if (template !== undefined) {
    const w = who ?? 'person'
    const phrases = template.replaceAll('{who}', `a ${w}`).replaceAll('{w}', w).replaceAll('{his}', his[w]).split(' | ')
    return right ? phrases.map((phrase) => `${phrase} facing right`) : phrases
  }
  const roles = [act, ...(otherRoles[act] === undefined ? [] : [otherRoles[act]])]
  if (who === undefined || who === 'person') return roles.map(withArticle)
  return [`a ${who} ${act}`, ...roles.map((role) => `a ${male[who]} ${role}`)]
}
