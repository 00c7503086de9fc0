import { ARMS } from '@antipode/npo/evaluation'
import type { Role } from '@antipode/report'

/** How an arm is drawn everywhere. */
export interface ArmStyle {
  readonly role: Role
  readonly dashed: boolean
}

const ARM_STYLES: Readonly<Record<string, ArmStyle>> = {
  [ARMS.base]: { role: 'series0', dashed: false },
  [ARMS.npo]: { role: 'series1', dashed: false },
  [ARMS.dpo]: { role: 'series2', dashed: false },
  [ARMS.merged]: { role: 'series3', dashed: false },
  [ARMS.extrapolation]: { role: 'series1', dashed: true },
  [ARMS.random]: { role: 'series0', dashed: true },
  [ARMS.unmerged]: { role: 'series3', dashed: true },
}

/** Known arms keep their colour in every report; others take turns. */
export function armStyle(id: string, index: number): ArmStyle {
  const spare = ['series4', 'series5', 'series6'] as const
  return ARM_STYLES[id] ?? { role: spare[index % spare.length]!, dashed: index % 2 === 1 }
}
