import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FakeHost, interpret } from '@antipode/core/testing'
import { samples } from '../reference/index.ts'
import { unetEighthInputs, unetEighthModel, unetEighthPrediction } from './unet-eighth.ts'

// Computes what the small Stable Diffusion UNet must give, in float64 and by each op's reference, and writes some entries of it.
// It takes minutes, so the numbers are kept:
//   node --conditions=@antipode/source --import tsx benchmarks/src/models/golden.ts

const host = new FakeHost()
const [out = new Float64Array()] = interpret([unetEighthPrediction(unetEighthModel(host), unetEighthInputs(host))])
const values = samples(out.length, 256).map((i) => Number((out[i] ?? Number.NaN).toPrecision(12)))
writeFileSync(join(import.meta.dirname, 'unet-eighth.golden.json'), `${JSON.stringify({ generator: 'benchmarks/src/models/golden.ts', values })}\n`)
