import { rng } from '@antipode/core/random'

/** Pairs or samples that batches may be made of together, by their places; those of a bucket have one shape. */
export interface BatchBucket {
  readonly places: readonly number[]
}

/** Streams of random numbers that orders of pairs are drawn from: noise is drawn from one a step from 0 on. */
const firstStream = 2 ** 31

/**
 * Which pairs each batch has: every pair once an epoch, in an order that depends on the seed and the epoch alone, those
 * of a batch from one bucket. The last batch of a bucket is filled up with its first pairs.
 */
export class BatchOrder {
  readonly #buckets: readonly BatchBucket[]
  readonly #size: number
  readonly #seed: number
  #epoch: { readonly number: number; readonly batches: readonly (readonly number[])[] } | undefined

  /** @param size pairs of a batch */
  constructor(buckets: readonly BatchBucket[], size: number, seed: number) {
    this.#buckets = buckets
    this.#size = size
    this.#seed = seed
  }

  /** Batches of an epoch. */
  get epochLength(): number {
    return this.#buckets.reduce((sum, { places }) => sum + Math.ceil(places.length / this.#size), 0)
  }

  /** Places of the pairs of batch `index` = 0, 1, …, over all epochs. */
  batch(index: number): readonly number[] {
    const number = Math.floor(index / this.epochLength)
    if (this.#epoch?.number !== number) this.#epoch = { number, batches: this.#batchesOf(number) }
    return this.#epoch.batches[index % this.epochLength] ?? []
  }

  #batchesOf(epoch: number): (readonly number[])[] {
    const random = rng(this.#seed, { stream: firstStream + epoch })
    const batches = this.#buckets.flatMap(({ places }) => {
      const order = random.shuffle([...places])
      return Array.from({ length: Math.ceil(order.length / this.#size) }, (_, batch) =>
        Array.from({ length: this.#size }, (_, i) => order[(batch * this.#size + i) % order.length] ?? 0))
    })
    return random.shuffle(batches)
  }
}
