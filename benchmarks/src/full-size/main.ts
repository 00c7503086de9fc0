import { parseArgs } from 'node:util'
import type { RewardName } from '@antipode/rewards'
import { compareLibraries } from './beside.ts'
import { type FamilyName, families } from './configs.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { measureLoad } from './load.ts'
import { compareReward } from './reward.ts'
import { compareRun, isRunType } from './run.ts'
import { compareStep } from './train.ts'

const help = `npm run full-size -- make --family ${Object.keys(families).join('|')} --out DIR
npm run full-size -- run --model DIR [--golden FILE] [--dtype f16|f32|q8_0|q4_0] [--side 512] [--steps 2] [--decode] [--budget BYTES]
npm run full-size -- load --model DIR [--dtype f16|f32] [--rounds 3]
npm run full-size -- train --model DIR --golden FILE [--dtype f16|f32]
npm run full-size -- reward --reward pick-score|hps|image-reward|aesthetic --out DIR [--dtype f32|f16] [--python python3]
npm run full-size -- beside --model DIR --golden DIR [--dtype f16|f32] [--rounds 3]

  make   writes a checkpoint of the true size with made-up weights, as a folder that diffusers opens too
  run    draws with it, tells times and memory, and compares each step and the picture with what tools/golden/full_size.py wrote of
         the same folder, where that is given
  load   times loading beside reading the files once, cold and warm, measures memory, and aborts at ten moments
  train  takes a step of preference training, and compares loss and gradients with what tools/golden/full_size_dpo.py wrote
  reward makes the published files of a reward with made-up weights of the true size, unless they are there, scores a picture by
         them, and compares the score and its gradient by the pixels with torch's, which tools/golden/full_size_reward.py computes
  beside runs its UNet and onnxruntime's of the same weights on one adapter in turns; tools/golden/onnx_unet.py writes the
         latter, inputs, and the output of torch. npm run bench:peers installs onnxruntime
`

const {
  values,
  positionals: [verb],
} = parseArgs({
  allowPositionals: true,
  options: {
    family: { type: 'string', default: 'sd15' },
    out: { type: 'string' },
    model: { type: 'string' },
    golden: { type: 'string' },
    reward: { type: 'string', default: '' },
    python: { type: 'string', default: 'python3' },
    dtype: { type: 'string', default: 'f16' },
    side: { type: 'string', default: '512' },
    steps: { type: 'string', default: '2' },
    decode: { type: 'boolean', default: false },
    budget: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
})
const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

if (verb === 'make' && values.out !== undefined && values.family in families) {
  await writeCheckpoint(values.family as FamilyName, values.out, log)
} else if (
  verb === 'run' &&
  values.model !== undefined &&
  isRunType(values.dtype)
) {
  const result = await compareRun({
    model: values.model,
    golden: values.golden,
    dtype: values.dtype,
    side: Number(values.side),
    steps: Number(values.steps),
    decode: values.decode,
    budget: values.budget === undefined ? undefined : Number(values.budget),
    log,
  })
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  process.exit(result.equal ? 0 : 1)
} else if (verb === 'load' && values.model !== undefined && (values.dtype === 'f16' || values.dtype === 'f32')) {
  const result = await measureLoad({ model: values.model, dtype: values.dtype, rounds: Number(values.rounds), log })
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  process.exit(result.equal ? 0 : 1)
} else if (
  verb === 'train' &&
  values.model !== undefined &&
  values.golden !== undefined &&
  (values.dtype === 'f16' || values.dtype === 'f32')
) {
  const result = await compareStep({ model: values.model, golden: values.golden, dtype: values.dtype, log })
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  process.exit(result.equal ? 0 : 1)
} else if (verb === 'reward' && values.out !== undefined && (values.dtype === 'f16' || values.dtype === 'f32')) {
  const { reward, out: folder, dtype, python } = values
  const result = await compareReward({ reward: reward as RewardName, folder, dtype, python, log }) // which checks the name
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  process.exit(result.equal ? 0 : 1)
} else if (
  verb === 'beside' &&
  values.model !== undefined &&
  values.golden !== undefined &&
  (values.dtype === 'f16' || values.dtype === 'f32')
) {
  const { model, golden, dtype, rounds } = values
  const result = await compareLibraries({ model, golden, dtype, rounds: Number(rounds), log })
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  process.exit(result.equal ? 0 : 1)
} else {
  process.stderr.write(help)
  process.exit(2)
}
