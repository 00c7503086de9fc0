import { Command, type CommanderError, Option } from 'commander'
import type { WorkloadName } from './bench/index.ts'
import { path, RangedOption, wholeNumber, word } from './option-values.ts'
import { type Adding, examples, freshOption, hint, type ProgramContext, seedOption } from './program-parts.ts'
import { addCache } from './cache-program.ts'
import { addConvert } from './convert-program.ts'
import { addEval } from './eval-program.ts'
import { addGenerate, addInspect } from './generate-program.ts'
import { addReconstruct } from './reconstruct-program.ts'
import { addTrainBase, type DigitsModel, modelOption } from './train-base-program.ts'
import { addTrainOnline } from './train-online-program.ts'
import { addTrainPictures } from './train-pictures-program.ts'
import { addTrainPreference } from './train-preference-program.ts'
import { onlineMethods } from './train-settings/index.ts'

/** Flags that are not given are missing. */
interface DemoFlags {
  readonly fast?: boolean
  readonly full?: number
  readonly suite?: number
  readonly out: string
  readonly seed: number
  readonly model: DigitsModel
  readonly base?: string
  readonly fresh?: boolean
}

interface BenchFlags {
  readonly workload: WorkloadName
  readonly trace?: string
  readonly tune?: boolean
}

/** All of them, as keys, which the compiler counts. */
const workloadNames = Object.keys({
  'digits-train': 0, 'digits-sample': 0, matmul: 0, conv: 0, attention: 0,
} satisfies Record<WorkloadName, 0>)

/**
 * The command line of `antipode`. Parsing throws a `CommanderError` where it would have ended the process. Flags of the
 * program itself may stand anywhere, before the command or after it.
 */
export function makeProgram(context: ProgramContext): Command {
  const program = new Command('antipode')
    .description('Diffusion models that know what to avoid: negative preference optimisation, on any GPU with WebGPU.')
    .version(context.version, '-V, --version', 'print the version')
    .option('--json', 'print the result as one JSON document on stdout')
    .option('-q, --quiet', 'show no progress')
    .option('--debug', 'show where an error came from')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr })
    .on('beforeAllHelp', ({ command }: { command: Command }) => { context.helping(command) })
    .addHelpText('after', examples([
      'antipode doctor', 'antipode generate --model sd15 --prompt "an astronaut on a horse"', 'antipode inspect lora.safetensors', 'antipode demo --fast',
    ]))
  const adding: Adding = {
    ...context,
    start: (options) => context.start({ ...options, quiet: program.opts<{ quiet?: boolean }>().quiet === true }),
  }
  hint(program)
  addDoctor(program, adding)
  addDemo(program, adding)
  addTrain(program, adding)
  addGenerate(program, adding)
  addInspect(program, adding)
  addConvert(program, adding)
  addEval(program, adding)
  addReconstruct(program, adding)
  addCache(program, adding)
  addBench(program, adding)
  return program
}

/** Whether parsing ended because help or the version was printed, not because of a mistake. */
export function isHelp(error: CommanderError): boolean {
  return error.exitCode === 0
}

function addDoctor(program: Command, { commands, start, finish }: Adding): void {
  const doctor = program.command('doctor')
    .summary('check whether Antipode can run here, and how fast')
    .description(
      'Describes this machine and its WebGPU adapter, measures matrix products and copies in about 3 s, checks that the ' +
      'results are right, and says what to install where no adapter is found. Exits with 1 if Antipode cannot run here.',
    )
    .addHelpText('after', examples(['antipode doctor', 'antipode doctor --json > doctor.json']))
  hint(doctor)
  doctor.action(async () => { finish(await commands.doctor(start({ resumes: false }))) })
}

function addDemo(program: Command, { commands, start, finish, argv, version }: Adding): void {
  const demo = program.command('demo')
    .summary('show on real digits what negative preference optimisation does')
    .description(
      'Samples pairs of digits from a trained base model, labels them by a reward, trains an offset towards the preferred ' +
      'images and one towards the others, samples every arm and control from the same noises at several guidance scales, ' +
      'and writes report.html and report.json. Takes up to 10 minutes on a 2-core machine without a GPU.',
    )
    .addOption(new Option('--fast', 'a smaller run with wider intervals, in under 3 minutes').conflicts('full'))
    .addOption(new RangedOption('--full [seeds]', 'a larger run, with so many training seeds', wholeNumber(1, 1000)).preset('4'))
    .addOption(
      new RangedOption('--suite [seeds]', 'the map of all methods with so many training seeds, in an hour and a half on two cores: map.html and map.json', wholeNumber(2, 1000))
        .preset('4').conflicts(['fast', 'full', 'base', 'model']),
    )
    .addOption(new RangedOption('-o, --out <dir>', 'where to write the report', path).default('runs/demo'))
    .addOption(seedOption())
    .addOption(modelOption().default('digits-16' satisfies DigitsModel))
    .addOption(new RangedOption('--base <file>', 'start from a checkpoint of `antipode train base`', path))
    .addOption(freshOption())
    .addHelpText('after', examples([
      'antipode demo',
      'antipode demo --fast --out fast',
      'antipode demo --full 8 --seed 7',
      'antipode demo --suite --out runs/map',
      'antipode demo --model digits-28 --base my-base.safetensors',
    ]))
  hint(demo)
  demo.action(async ({ fast = false, full, suite, out, seed, model, base, fresh = false }: DemoFlags) => {
    if (suite !== undefined) {
      finish(await commands.suite({ ...start({ resumes: true }), out, seed, seeds: suite, version, resume: !fresh }))
      return
    }
    finish(await commands.demo({
      ...start({ resumes: true }),
      fast, out, seed, model, version,
      ...(full === undefined ? {} : { full }),
      ...(base === undefined ? {} : { base }),
      resume: !fresh,
      command: ['antipode', ...argv].join(' '),
    }))
  })
}

function addTrain(program: Command, adding: Adding): void {
  const train = program.command('train')
    .summary('train a model, or an adapter on preferences or rewards')
    .description('Trains a model on pictures, an adapter of Stable Diffusion on preference pairs, or an adapter on what its model samples itself.')
    .addHelpText('after', examples(['antipode train dpo --model sd15 --pairs pairs', 'antipode train npo --model sd15 --pairs pairs', 'antipode train draft --model digits-16', 'antipode train autoencoder --data pictures', 'antipode train base']))
  hint(train)
  for (const name of ['dpo', 'npo'] as const) addTrainPreference(train, name, adding)
  for (const method of onlineMethods) addTrainOnline(train, method, adding)
  for (const stage of ['autoencoder', 'clip'] as const) addTrainPictures(train, stage, adding)
  addTrainBase(train, adding)
}

function addBench(program: Command, { commands, start, finish }: Adding): void {
  const bench = program.command('bench')
    .summary('profile our kernels on this adapter, or tune the choice among them')
    .description(
      'Measures the best rates of this adapter, then profiles a workload: time, work and bytes of each kernel, and how near ' +
      'they come to those rates. With --tune it measures instead when packing operands into textures pays on this adapter, ' +
      'and keeps that for this user; programs go by it from then on.',
    )
    .addOption(new RangedOption('--workload <name>', 'what to profile', word(...workloadNames)).default('digits-train' satisfies WorkloadName))
    .addOption(new RangedOption('--trace <file>', 'write a trace for chrome://tracing or ui.perfetto.dev', path))
    .addOption(new Option('--tune', 'measure and keep what the choice of kernels goes by').conflicts(['workload', 'trace']))
    .addHelpText('after', examples(['antipode bench', 'antipode bench --workload attention --trace attention.json', 'antipode bench --tune']))
  hint(bench)
  bench.action(async ({ workload, trace, tune = false }: BenchFlags) => {
    const shared = start({ resumes: false })
    finish(await (tune ? commands.tune(shared) : commands.bench({ ...shared, workload, ...(trace === undefined ? {} : { trace }) })))
  })
}
