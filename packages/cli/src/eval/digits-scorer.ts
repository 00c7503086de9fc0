import { fileURLToPath } from 'node:url'
import { Device } from '@antipode/core'
import { adapterNames, removeAdapter } from '@antipode/core/nn'
import { digitJudge, digitsBase, digitsInTurn, labellingReward, loadDigitClassifier, loadDigits, sampleImages } from '@antipode/digits'
import { loadAdapter } from '@antipode/models'
import { addRandomAdapter } from '@antipode/npo'
import type { StudyJob } from '@antipode/npo/studies'
import { readBaseFile } from '../checks/index.ts'
import { loadBase } from '../demo/index.ts'
import { adapterFile, type Evaluated, noiseSeed, randomAdapterSeed } from './scorer.ts'

/** Digits, drawn and judged as in the demo. */
export const digitsEvaluated: Evaluated = {
  async task({ steps }) {
    const { card } = await readBaseFile('digits-16', fileURLToPath(digitsBase['digits-16']!.weights)) // comes with the package
    return { model: card.sha256, solver: 'dpmSolverMultistep', steps }
  },
  async open({ adapters, steps }, signal) {
    const device = await Device.request({ signal })
    const { splits } = await loadDigits({ size: 16 })
    const classifier = await loadDigitClassifier()
    const [judge, reward] = [digitJudge(splits.judge, classifier), labellingReward(splits.labeller)]
    const { unet } = await loadBase(device, 'digits-16', undefined)
    let loaded: number | undefined
    const adaptersOf = async (seed: number): Promise<void> => {
      if (loaded === seed) return
      for (const name of adapterNames(unet)) removeAdapter(unet, name)
      for (const [name, source] of Object.entries(adapters)) {
        if (typeof source === 'string') await loadAdapter(unet, adapterFile(source, seed), { name, signal })
        else await addRandomAdapter(unet, name, { like: source.like, seed: randomAdapterSeed(seed) })
      }
      loaded = seed
    }
    return {
      async score(job: StudyJob, aborted) {
        const { positive, negative, scale, from, to } = job
        await adaptersOf(job.seed)
        const labels = digitsInTurn(to).subarray(from)
        const images = await sampleImages(device, unet, {
          positive, negative, scale, labels, side: 16, steps, batch: to - from, signal: aborted, seed: noiseSeed(job, from),
        })
        return {
          judge: [...judge(images, labels)],
          reward: [...reward(images, labels)],
          correct: Array.from(classifier.predict(images, 16), (c, i) => Number(c === labels[i])),
        }
      },
      async [Symbol.asyncDispose]() {
        unet.dispose()
        await device[Symbol.asyncDispose]()
      },
    }
  },
}
