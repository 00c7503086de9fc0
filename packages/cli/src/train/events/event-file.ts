import { appendFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { crc32c } from './crc32c.ts'
import { joined, message } from './protobuf.ts'

/** A picture as TensorBoard shows it. */
export interface EventPicture {
  readonly height: number
  readonly width: number
  readonly png: Uint8Array
}

/**
 * A file of events for TensorBoard, in a folder that it is pointed at. Each process writes one of its own; of steps
 * that were made twice it shows the later.
 * Source: tensorflow/tensorboard, `tensorboard/compat/proto/event.proto` and `summary.proto`; tensorflow, "TFRecord".
 */
export class EventFile {
  readonly #path: string
  readonly #now: () => number

  /** @param now seconds since 1970 */
  constructor(folder: string, now: () => number = () => Date.now() / 1000) {
    this.#now = now
    this.#path = join(folder, `events.out.tfevents.${Math.floor(now())}.${hostname()}.${process.pid}`)
    this.#append(message([1, 'double', now()], [3, 'text', 'brain.Event:2']))
  }

  /** Numbers of a step, by name. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    this.#summary(step, Object.entries(values).map(([tag, value]) => message([1, 'text', tag], [2, 'float', value])))
  }

  picture(step: number, tag: string, { height, width, png }: EventPicture): void {
    const image = message([1, 'whole', height], [2, 'whole', width], [3, 'whole', 3], [4, 'bytes', png])
    this.#summary(step, [message([1, 'text', tag], [4, 'bytes', image])])
  }

  #summary(step: number, values: readonly Uint8Array[]): void {
    const summary = joined(values.map((value) => message([1, 'bytes', value])))
    this.#append(message([1, 'double', this.#now()], [2, 'whole', step], [5, 'bytes', summary]))
  }

  #append(event: Uint8Array): void {
    appendFileSync(this.#path, record(event))
  }
}

/** A record of the format TFRecord: the length of the data and the data, each with its sum of check. */
function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true)
  return joined([length, masked(length), data, masked(data)])
}

/** The CRC of some bytes, turned so that a CRC of what contains it makes sense. */
function masked(bytes: Uint8Array): Uint8Array {
  const crc = crc32c(bytes)
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, true)
  return out
}
