// Prints the name of the default WebGPU adapter and exits 0, or exits 1 when there is none.

import { create } from 'webgpu'

const adapter = await create([]).requestAdapter()
if (!adapter) process.exit(1)
const { vendor, architecture, description } = adapter.info
console.log([vendor, architecture, description].filter(Boolean).join(', '))
// Dawn keeps the process alive as long as its objects are reachable.
process.exit(0)
