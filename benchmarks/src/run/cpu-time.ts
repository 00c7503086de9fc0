import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Milliseconds of CPU time that all threads of this process have used. */
export function processTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Milliseconds of CPU time that JavaScript's own thread has used: on Linux by the kernel's account of the thread that leads
 * the process, elsewhere the time of the whole process, which is more.
 */
export function mainThreadTime(): number {
  try {
    // proc(5): nanoseconds on the CPU, nanoseconds waiting, slices.
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    return processTime()
  }
}

/** Milliseconds in which the cores of the machine were busy with anything, summed over cores. */
export function machineTime(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0)
}
