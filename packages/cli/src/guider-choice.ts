import type { Kind } from './option-values.ts'

/** What `--guider` calls ways of guidance by two predictions. */
export const guiders = ['cfg', 'apg', 'cfg-zero', 'tcfg', 'mambo-g'] as const
/** And those of a third, each with the scale that it has by default. */
export const perturbations = { pag: 3, seg: 3, slg: 3, sag: 0.75 } as const

/** Which guidance to draw by. */
export interface GuiderChoice {
  readonly guider: (typeof guiders)[number]
  readonly perturbation?: { readonly kind: keyof typeof perturbations; readonly scale: number }
}

type Found = readonly [
  whole: string, guider: GuiderChoice['guider'] | undefined, kind: keyof typeof perturbations | undefined, scale: string | undefined,
]

/** `apg`, `pag:3`, or one of each, `apg,pag:3`. */
export const guiderChoice: Kind = {
  range: {
    expected: `one of ${guiders.join(', ')}, one of ${Object.keys(perturbations).join(', ')} with or without a scale, as in pag:3, or both with a comma between`,
    accepts: (v) => typeof v === 'object',
  },
  read(text) {
    const kinds = Object.keys(perturbations).join('|')
    const found = new RegExp(`^(?:(${guiders.join('|')})(?:,(?=.)|$))?(?:(${kinds})(?::(\\d+(?:\\.\\d+)?))?)?$`).exec(text)
    if (!found || text === '') return text
    // What the expression finds are names of the two tables, or nothing.
    const [, guider = 'cfg', kind, scale] = found as unknown as Found
    return kind === undefined ? { guider } : { guider, perturbation: { kind, scale: Number(scale ?? perturbations[kind]) } }
  },
}
