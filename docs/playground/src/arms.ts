/** The two offsets: η learned what people prefer, δ what they do not. */
export type OffsetName = 'eta' | 'delta'

/** Weights of the offsets on one branch. */
export type Weights = Readonly<Partial<Record<OffsetName, number>>>

/** How the two branches of guidance are made; `unguided` has one branch only. */
export interface Arm {
  readonly name: string
  readonly needs: readonly OffsetName[]
  readonly says: string
  readonly positive: Weights
  readonly negative: (mix: Mix) => Weights
  readonly guided: boolean
}

/** α and β of θ⁻ = θ + α·η + β·δ. */
export interface Mix {
  readonly alpha: number
  readonly beta: number
}

const dpo: Weights = { eta: 1 }

/** Every arm the page offers, by id. */
export const arms = {
  unguided: {
    name: 'Base, no guidance', needs: [], guided: false, positive: {}, negative: () => ({}),
    says: 'The positive prediction alone, as w = 1 gives it.',
  },
  base: {
    name: 'Base / base', needs: [], guided: true, positive: {}, negative: () => ({}),
    says: 'Ordinary guidance: away from the same model with no class.',
  },
  npo: {
    name: 'Base / NPO', needs: ['delta'], guided: true, positive: {}, negative: ({ beta }) => ({ delta: beta }),
    says: 'Away from a model that learned what people do not want.',
  },
  dpo: {
    name: 'DPO / DPO', needs: ['eta'], guided: true, positive: dpo, negative: () => dpo,
    says: 'A model tuned to preferences, guided in the ordinary way.',
  },
  merged: {
    name: 'DPO / merged', needs: ['eta', 'delta'], guided: true, positive: dpo,
    negative: ({ alpha, beta }) => ({ eta: alpha, delta: beta }),
    says: 'The full method: the tuned model, away from both offsets merged.',
  },
  reversed: {
    name: 'Base / −η (control)', needs: ['eta'], guided: true, positive: {}, negative: () => ({ eta: -1 }),
    says: 'A control that needs no NPO training: η turned round.',
  },
} as const satisfies Readonly<Record<string, Arm>>

/** Id of an arm. */
export type ArmId = keyof typeof arms

/** Ids of all arms, in the order of the menus. */
export const armIds: readonly ArmId[] = Object.keys(arms) as ArmId[]

/** Whether the model has every offset the arm needs. */
export function available(id: ArmId, present: ReadonlySet<OffsetName>): boolean {
  return arms[id].needs.every((name) => present.has(name))
}

const symbols = { eta: 'η', delta: 'δ' } as const

/** `θ + η + 0.5·δ` */
export function formula(weights: Weights): string {
  let text = 'θ'
  for (const [name, symbol] of Object.entries(symbols)) {
    const weight = weights[name as OffsetName] ?? 0
    if (weight === 0) continue
    const size = Math.abs(weight)
    text += ` ${weight < 0 ? '−' : '+'} ${size === 1 ? '' : `${Number(size.toFixed(2))}·`}${symbol}`
  }
  return text
}
