import type { GraphCase } from './graph-case.ts'
import { losses } from './graph-losses.ts'
import { networks } from './graph-networks.ts'

/** Every composed graph that gradients are checked on. */
export const graphCases: readonly GraphCase[] = [...networks, ...losses]
