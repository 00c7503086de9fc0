import { DeviceLostError, OutOfMemoryError, UnsupportedError } from '../errors.ts'

/**
 * Begins the label of every GPU object that is made here. Errors that nobody captured name the objects they concern, so that ours
 * are told from those of a program's own work on the same device.
 */
const mark = 'antipode '

/** The label of a GPU object of ours. */
export function ours(label: string): string {
  return mark + label
}

/**
 * Whether an uncaptured error may concern objects of ours: it names one, or it names none at all, as on hosts that write no labels
 * into messages. Source of the form: Dawn, which Node and Chromium use, writes `[Buffer "label"]`, `[Buffer (unlabeled)]`.
 */
function mayBeOurs(message: string): boolean {
  return message.includes(`"${mark}`) || !/\[[A-Z]/.test(message)
}

/**
 * Tells `fail` of the errors after which a device of ours is of no use: uncaptured ones that may be ours, and its loss. Errors of a
 * program's own work are its own, and hosts write them to the console. The host keeps what it calls, so the owner is held weakly.
 */
export function watchFailures<O extends object>(device: GPUDevice, owner: WeakRef<O>, fail: (owner: O, error: Error) => void): void {
  const tell = (error: Error): void => {
    const alive = owner.deref()
    if (alive) fail(alive, error)
  }
  device.addEventListener('uncapturederror', ({ error }) => {
    if (!mayBeOurs(error.message)) return
    tell(isOutOfMemory(error) ? new OutOfMemoryError(`the GPU is out of memory: ${error.message}`) : new UnsupportedError(`WebGPU: ${error.message}`))
  })
  void device.lost.then((info) => {
    tell(new DeviceLostError(`the GPU device was lost (${info.reason}): ${info.message}; request a new Device and reload`))
  })
}

function isOutOfMemory(error: GPUError): boolean {
  return typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError
}
