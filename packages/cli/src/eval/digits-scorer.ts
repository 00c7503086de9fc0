import { fileURLToPath } from 'node:url'
import { Device } from '@antipode/core'
import { adapterNames, removeAdapter } from '@antipode/core/nn'
import { digitsBase, digitsInTurn, loadDigitClassifier, loadDigits, sampleImages } from '@antipode/digits'
import { loadAdapter } from '@antipode/models'
import type { StudyJob } from '@antipode/npo/studies'
import { readBaseFile } from '../checks/index.ts'
import { digitMetrics, judgesOf, loadBase } from '../demo/index.ts'
import { adaptersOf, type Evaluated, noiseSeed } from './scorer.ts'

/** Digits, drawn and judged as in the demo. */
export const digitsEvaluated: Evaluated = {
  async task({ steps }) {
    const { card } = await readBaseFile('digits-16', fileURLToPath(digitsBase['digits-16']!.weights)) // comes with the package
    return { model: card.sha256, solver: 'dpmSolverMultistep', steps }
  },
  async open(settings, signal) {
    const { steps } = settings
    const device = await Device.request({ signal })
    const { splits } = await loadDigits({ size: 16 })
    const judges = judgesOf(splits, await loadDigitClassifier())
    const { unet } = await loadBase(device, 'digits-16', undefined)
    const ready = adaptersOf(settings, {
      model: unet,
      clear: () => { for (const name of adapterNames(unet)) removeAdapter(unet, name) },
      load: (name, file) => loadAdapter(unet, file, { name, signal }),
    })
    return {
      async score(job: StudyJob, aborted) {
        const { positive, negative, scale, from, to } = job
        await ready(job.seed)
        const labels = digitsInTurn(to).subarray(from)
        const images = await sampleImages(device, unet, {
          positive, negative, scale, labels, side: 16, steps, batch: to - from, signal: aborted, seed: noiseSeed(job, from),
        })
        const metrics = Object.entries(digitMetrics(judges, labels, 16))
        return Object.fromEntries(metrics.map(([name, metric]) => [name, Array.from(metric(images))]))
      },
      async [Symbol.asyncDispose]() {
        unet.dispose()
        await device[Symbol.asyncDispose]()
      },
    }
  },
}
