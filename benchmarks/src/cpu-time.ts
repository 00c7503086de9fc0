import { openSync, readSync } from 'node:fs'
import { cpus } from 'node:os'

/** Milliseconds of CPU time that all threads of this process have used. */
export function processTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The kernel's account of the thread that leads this process, which is JavaScript's; undefined where there is no such file. */
const account = open('/proc/self/schedstat')
const bytes = Buffer.alloc(64)

/**
 * Milliseconds of CPU time that JavaScript's own thread has used, to some microseconds: on Linux by the kernel's account,
 * elsewhere the time of the whole process, which is more. A call takes about 4 µs.
 */
export function mainThreadTime(): number {
  // The kernel keeps the account from tick to tick; asking for the time of the process brings it up to now.
  const whole = processTime()
  if (account === undefined) return whole
  // proc(5): nanoseconds on the CPU, nanoseconds waiting, slices.
  return Number(bytes.toString('latin1', 0, readSync(account, bytes, 0, bytes.length, 0)).split(' ')[0]) / 1e6
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

/** Milliseconds in which the cores of the machine were busy with anything, summed over cores. */
export function machineTime(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0)
}
