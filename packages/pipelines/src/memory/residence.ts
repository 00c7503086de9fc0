import { Device } from '@antipode/core'
import type { Module } from '@antipode/core/nn'
import { needs, type Phase, type PipelineMemory } from './memory.ts'

/** Which models of a pipeline are on the GPU, where a budget lets only some be: without one, all of them always are. */
export class Residence {
  readonly #models: Readonly<Record<string, Module>>
  readonly #memory: PipelineMemory | undefined
  readonly #there = new Set<string>()
  /** Only one run at a time can keep within a budget. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(models: Readonly<Record<string, Module>>, memory: PipelineMemory | undefined) {
    this.#models = models
    this.#memory = memory
  }

  /** Frees the models that are to leave and that a part of a run does not need, and then brings those that it needs. */
  async enter(phase: Phase, leaving: readonly string[], signal?: AbortSignal): Promise<void> {
    if (!this.#memory) return
    const going = [...this.#there].filter((name) => leaving.includes(name) && !needs(phase, name))
    for (const name of going) this.#leave(name)
    for (const [name, model] of Object.entries(this.#models)) {
      if (!needs(phase, name) || this.#there.has(name)) continue
      signal?.throwIfAborted()
      await this.#memory.bring(model)
      this.#there.add(name)
    }
  }

  #leave(name: string): void {
    this.#there.delete(name)
    const model = this.#models[name] as Module // it is there
    const { device } = model
    // Its adapters stay.
    for (const t of model.parameters()) t.dispose()
    if (device instanceof Device) device.trim()
  }

  /** Runs once all that were asked for before are over. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (!this.#memory) return run()
    const result = this.#turn.then(run)
    this.#turn = result.catch(() => undefined)
    return result
  }

  dispose(): void {
    for (const model of Object.values(this.#models)) model.dispose()
    this.#memory?.close()
  }
}
