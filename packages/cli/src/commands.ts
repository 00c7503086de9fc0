import type { BenchOptions, TuneOptions } from './bench/index.ts'
import type { CacheOptions } from './cache/index.ts'
import {
  checkBench, checkConvert, checkDemo, checkEval, checkGenerate, checkInspect, checkReconstruct, checkSuite, checkTrainBase,
  checkTrainOnline, checkTrainPictures, checkTrainPreference,
} from './checks/index.ts'
import type { ConvertCommandOptions } from './convert/index.ts'
import type { DemoOptions } from './demo/index.ts'
import type { DoctorOptions } from './doctor/index.ts'
import type { EvalMergeOptions, EvalResult, EvalRunOptions, EvalWorkOptions } from './eval/index.ts'
import type { GenerateCommandOptions } from './generate/index.ts'
import type { InspectOptions } from './inspect/index.ts'
import type { ReconstructCommandOptions } from './reconstruct/index.ts'
import type { SuiteOptions } from './suite/index.ts'
import type { TrainBaseOptions, TrainOnlineOptions, TrainPicturesOptions, TrainPreferenceOptions } from './train/index.ts'

/** What a command has to say once it is done. */
export interface Outcome {
  /** Printed by `--json`. */
  readonly data: unknown
  /** Printed otherwise; ends in a newline. */
  readonly text: string
  readonly exitCode: 0 | 1
}

/** What the command line can start. */
export interface Commands {
  doctor(options: DoctorOptions): Promise<Outcome>
  demo(options: DemoOptions): Promise<Outcome>
  suite(options: SuiteOptions): Promise<Outcome>
  trainBase(options: TrainBaseOptions): Promise<Outcome>
  trainPreference(options: TrainPreferenceOptions): Promise<Outcome>
  trainOnline(options: TrainOnlineOptions): Promise<Outcome>
  trainPictures(options: TrainPicturesOptions): Promise<Outcome>
  generate(options: GenerateCommandOptions): Promise<Outcome>
  inspect(options: InspectOptions): Promise<Outcome>
  reconstruct(options: ReconstructCommandOptions): Promise<Outcome>
  /** @param options `force` replaces what stands at the target */
  convert(options: ConvertCommandOptions & { readonly force: boolean }): Promise<Outcome>
  cacheList(options: CacheOptions): Promise<Outcome>
  cacheClear(options: CacheOptions): Promise<Outcome>
  evalRun(options: EvalRunOptions): Promise<Outcome>
  evalWork(options: EvalWorkOptions): Promise<Outcome>
  evalMerge(options: EvalMergeOptions): Promise<Outcome>
  bench(options: BenchOptions): Promise<Outcome>
  tune(options: TuneOptions): Promise<Outcome>
}

/** The real commands. Each is loaded once it can start, so that `--help` and mistakes are answered at once. */
export const commands: Commands = {
  async doctor(options) {
    const { doctorText, runDoctor } = await import('./doctor/index.ts')
    const report = await runDoctor(options)
    return { data: report, text: doctorText(report), exitCode: report.ok ? 0 : 1 }
  },
  async demo(options) {
    await checkDemo(options)
    const [{ runDemo }, { demoText }] = await Promise.all([import('./demo/index.ts'), import('./demo-text.ts')])
    const result = await runDemo(options)
    return { data: result, text: demoText(result), exitCode: 0 }
  },
  async suite(options) {
    await checkSuite(options)
    const [{ runSuite }, { suiteText }] = await Promise.all([import('./suite/index.ts'), import('./suite-text.ts')])
    const result = await runSuite(options)
    const { report, data, results } = result
    return { data: { report, data, rows: results.rows }, text: suiteText(result), exitCode: 0 }
  },
  async trainBase(options) {
    await checkTrainBase(options)
    const { runTrainBase } = await import('./train/index.ts')
    const result = await runTrainBase(options)
    const lines = [
      `checkpoint  ${result.checkpoint}`,
      `SHA-256     ${result.sha256}`,
      `last loss   ${result.loss.at(-1) ?? 'none'}`,
      `adapter     ${result.adapter}`,
    ]
    return { data: result, text: `${lines.join('\n')}\n`, exitCode: 0 }
  },
  async trainPreference(options) {
    await checkTrainPreference(options)
    const { runTrainPreference } = await import('./train/index.ts')
    const result = await runTrainPreference(options)
    const { pairs: { pairs, ties, damaged }, last } = result
    const lines = [
      `adapter     ${result.adapter}`,
      `metrics     ${result.metrics}`,
      `pairs       ${pairs}, without ${ties} ties and ${damaged} damaged rows`,
      `last loss   ${last?.loss ?? 'none'}, accuracy ${last?.metrics['accuracy'] ?? 'none'}`,
    ]
    return { data: result, text: `${lines.join('\n')}\n`, exitCode: 0 }
  },
  async trainOnline(options) {
    await checkTrainOnline(options)
    const { runTrainOnline } = await import('./train/index.ts')
    const result = await runTrainOnline(options)
    const { adapter, metrics, last } = result
    const lines = [
      `adapter     ${adapter}`,
      `metrics     ${metrics}`,
      `last loss   ${last?.loss ?? 'none'}, reward ${last?.metrics['reward'] ?? 'none'}`,
    ]
    return { data: result, text: `${lines.join('\n')}\n`, exitCode: 0 }
  },
  async trainPictures(options) {
    await checkTrainPictures(options)
    const { runTrainPictures } = await import('./train/index.ts')
    const result = await runTrainPictures(options)
    const { model, metrics, pictures, parameters, last } = result
    const lines = [
      `model       ${model}`,
      `metrics     ${metrics}`,
      `pictures    ${pictures}`,
      `parameters  ${parameters}`,
      `last loss   ${last?.loss ?? 'none'}`,
    ]
    return { data: result, text: `${lines.join('\n')}\n`, exitCode: 0 }
  },
  async generate(options) {
    await checkGenerate(options)
    const { runGenerate } = await import('./generate/index.ts')
    const result = await runGenerate(options)
    const lines = [...result.images.map(({ file }) => file), ...(result.sheet === undefined ? [] : [result.sheet])]
    return { data: result, text: `${lines.join('\n')}\n`, exitCode: 0 }
  },
  async inspect(options) {
    await checkInspect(options)
    const { inspectText, runInspect } = await import('./inspect/index.ts')
    const result = await runInspect(options)
    return { data: result, text: inspectText(result), exitCode: 0 }
  },
  async reconstruct(options) {
    await checkReconstruct(options)
    const { reconstructText, runReconstruct } = await import('./reconstruct/index.ts')
    const result = await runReconstruct(options)
    return { data: result, text: reconstructText(result), exitCode: 0 }
  },
  async convert({ force, ...options }) {
    await checkConvert({ ...options, force })
    const { convertText, runConvert } = await import('./convert/index.ts')
    const result = await runConvert(options)
    return { data: result, text: convertText(result), exitCode: 0 }
  },
  async cacheList(options) {
    const { cacheText, listCache } = await import('./cache/index.ts')
    const result = await listCache(options)
    return { data: result, text: cacheText(result), exitCode: 0 }
  },
  async cacheClear(options) {
    const { clearCache, clearedText } = await import('./cache/index.ts')
    const result = await clearCache(options)
    return { data: result, text: clearedText(result), exitCode: 0 }
  },
  async evalRun(options) {
    await checkEval('run', options)
    const { runEval } = await import('./eval/index.ts')
    return evalOutcome(await runEval(options))
  },
  async evalWork(options) {
    await checkEval('work', options)
    const { runEvalWork } = await import('./eval/index.ts')
    return evalOutcome(await runEvalWork(options))
  },
  async evalMerge(options) {
    await checkEval('merge', options)
    const { runEvalMerge } = await import('./eval/index.ts')
    return evalOutcome(await runEvalMerge(options))
  },
  async bench(options) {
    await checkBench(options)
    const { benchText, runBench } = await import('./bench/index.ts')
    const report = await runBench(options)
    return { data: report, text: benchText(report), exitCode: 0 }
  },
  async tune(options) {
    const { runTune, tuneText } = await import('./bench/index.ts')
    const report = await runTune(options)
    return { data: report, text: tuneText(report), exitCode: 0 }
  },
}

function evalOutcome(result: EvalResult): Outcome {
  const lines = result.report === undefined ? [`jobs        ${result.jobs}`] : [`report      ${result.report}`, `data        ${result.data}`]
  return { data: result, text: `${lines.join('\n')}\n`, exitCode: 0 }
}
