import { join } from 'node:path'
import { Command, type CommanderError, Option } from 'commander'
import type { WorkloadName } from './bench/index.ts'
import type { Commands, Outcome } from './commands.ts'
import { path, wholeNumber } from './option-values.ts'
import type { Progress } from './progress/index.ts'

/** What a program runs with. */
export interface ProgramContext {
  readonly commands: Commands
  /** The version that `--version` prints. */
  readonly version: string
  /** What the user typed after `antipode`. */
  readonly argv: readonly string[]
  readonly signal: AbortSignal
  /** Where the program's help goes, and where complaints go. */
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** How a command shows that it is at work. */
  readonly progress: (options: { readonly quiet: boolean }) => Progress
  /** Takes what a command found. */
  readonly finish: (outcome: Outcome) => void
}

/** Flags that are not given are missing. */
interface CommonFlags {
  readonly quiet?: boolean
}

type Model = 'digits-16' | 'digits-28'

interface DemoFlags extends CommonFlags {
  readonly fast?: boolean
  readonly full?: number
  readonly out: string
  readonly seed: number
  readonly model: Model
  readonly base?: string
  readonly fresh?: boolean
}

interface TrainBaseFlags extends CommonFlags {
  readonly out: string
  readonly steps?: number
  readonly seed: number
  readonly model: Model
  readonly fresh?: boolean
}

interface BenchFlags extends CommonFlags {
  readonly workload: WorkloadName
  readonly trace?: string
  readonly tune?: boolean
}

/** All of them, as keys, which the compiler counts. */
const workloadNames = Object.keys({
  'digits-train': 0, 'digits-sample': 0, matmul: 0, conv: 0, attention: 0,
} satisfies Record<WorkloadName, 0>)

/** Seeds stay below a million, so that the offsets a recipe adds to them never meet. */
const seeds = { min: 0, max: 999_000 } as const

/** The command line of `antipode`. Parsing throws a `CommanderError` where it would have ended the process. */
export function makeProgram(context: ProgramContext): Command {
  const program = new Command('antipode')
    .description('Diffusion models that know what to avoid: negative preference optimisation, on any GPU with WebGPU.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr })
    .addHelpText('after', examples(['antipode doctor', 'antipode demo --fast', 'antipode train base --out my-base.safetensors']))
  hint(program)
  addDoctor(program, context)
  addDemo(program, context)
  addTrain(program, context)
  addBench(program, context)
  return program
}

/** Whether parsing ended because help or the version was printed, not because of a mistake. */
export function isHelp(error: CommanderError): boolean {
  return error.exitCode === 0
}

function addDoctor(program: Command, { commands, signal, progress, finish }: ProgramContext): void {
  const doctor = program.command('doctor')
    .summary('check whether Antipode can run here, and how fast')
    .description(
      'Describes this machine and its WebGPU adapter, measures matrix products and copies in about 3 s, checks that the ' +
      'results are right, and says what to install where no adapter is found. Exits with 1 if Antipode cannot run here.',
    )
    .addHelpText('after', examples(['antipode doctor', 'antipode doctor --json > doctor.json']))
  common(doctor).action(async ({ quiet = false }: CommonFlags) => {
    finish(await commands.doctor({ signal, progress: progress({ quiet }) }))
  })
}

function addDemo(program: Command, { commands, signal, progress, finish, argv, version }: ProgramContext): void {
  const demo = program.command('demo')
    .summary('show on real digits what negative preference optimisation does')
    .description(
      'Samples pairs of digits from a trained base model, labels them by a reward, trains an offset towards the preferred ' +
      'images and one towards the others, samples every arm and control from the same noises at several guidance scales, ' +
      'and writes report.html and report.json. Takes up to 10 minutes on a 2-core machine without a GPU.',
    )
    .addOption(new Option('--fast', 'a smaller run with wider intervals, in under 3 minutes').conflicts('full'))
    .addOption(new Option('--full [seeds]', 'a larger run, with so many training seeds').argParser(wholeNumber({ min: 1, max: 1000 })).preset('4'))
    .addOption(new Option('-o, --out <dir>', 'where to write the report').default('runs/demo').argParser(path))
    .addOption(seedOption())
    .addOption(modelOption())
    .addOption(new Option('--base <file>', 'start from a checkpoint of `antipode train base`').argParser(path))
    .addOption(new Option('--fresh', 'ignore what an interrupted run of the same recipe left'))
    .addHelpText('after', examples([
      'antipode demo',
      'antipode demo --fast --out fast',
      'antipode demo --full 8 --seed 7',
      'antipode demo --model digits-28 --base my-base.safetensors',
    ]))
  common(demo).action(async ({ fast = false, full, out, seed, model, base, fresh = false, quiet = false }: DemoFlags) => {
    finish(await commands.demo({
      fast, out, seed, model, signal, version,
      ...(full === undefined ? {} : { full }),
      ...(base === undefined ? {} : { base }),
      resume: !fresh,
      progress: progress({ quiet }),
      command: ['antipode', ...argv].join(' '),
    }))
  })
}

function addTrain(program: Command, { commands, signal, progress, finish }: ProgramContext): void {
  const train = program.command('train')
    .summary('train a model')
    .description('Trains a model.')
    .addHelpText('after', examples(['antipode train base', 'antipode train base --help']))
  hint(train)
  const base = train.command('base')
    .summary('train the base model that the demo starts from')
    .description(
      'Trains the class-conditional digits model on real digits degraded at random, and writes its moving average as f16 ' +
      'safetensors, with its recipe, loss curve and hash in a JSON file beside it. The same seed gives the same file on the ' +
      'same adapter and build, and weights within 0.1% of it on others of their class.',
    )
    .addOption(new Option('-o, --out <path>', 'checkpoint to write, or a directory for MODEL.safetensors').default('runs/base').argParser(path))
    .addOption(new Option('--steps <n>', 'optimiser steps (default: the recipe of the model)').argParser(wholeNumber({ min: 1, max: 10_000_000 })))
    .addOption(seedOption())
    .addOption(modelOption())
    .addOption(new Option('--fresh', 'ignore what an interrupted run of the same recipe left'))
    .addHelpText('after', examples(['antipode train base', 'antipode train base --model digits-28 --out my-base.safetensors', 'antipode train base --steps 500 --out try']))
  common(base).action(async ({ out, steps, seed, model, fresh = false, quiet = false }: TrainBaseFlags) => {
    finish(await commands.trainBase({
      out: out.endsWith('.safetensors') ? out : join(out, `${model}.safetensors`),
      ...(steps === undefined ? {} : { steps }),
      seed, model, signal,
      resume: !fresh,
      progress: progress({ quiet }),
    }))
  })
}

function addBench(program: Command, { commands, signal, progress, finish }: ProgramContext): void {
  const bench = program.command('bench')
    .summary('profile our kernels on this adapter, or tune the choice among them')
    .description(
      'Measures the best rates of this adapter, then profiles a workload: time, work and bytes of each kernel, and how near ' +
      'they come to those rates. With --tune it measures instead when packing operands into textures pays on this adapter, ' +
      'and keeps that for this user; programs go by it from then on.',
    )
    .addOption(new Option('--workload <name>', 'what to profile').choices(workloadNames).default('digits-train' satisfies WorkloadName))
    .addOption(new Option('--trace <file>', 'write a trace for chrome://tracing or ui.perfetto.dev').argParser(path))
    .addOption(new Option('--tune', 'measure and keep what the choice of kernels goes by').conflicts(['workload', 'trace']))
    .addHelpText('after', examples(['antipode bench', 'antipode bench --workload attention --trace attention.json', 'antipode bench --tune']))
  common(bench).action(async ({ workload, trace, tune = false, quiet = false }: BenchFlags) => {
    const shared = { signal, progress: progress({ quiet }) }
    finish(await (tune ? commands.tune(shared) : commands.bench({ ...shared, workload, ...(trace === undefined ? {} : { trace }) })))
  })
}

const seedOption = (): Option => new Option('--seed <n>', 'where random numbers start').default(0).argParser(wholeNumber(seeds))

const modelOption = (): Option =>
  new Option('--model <name>', 'digits-28 is for real GPUs').choices(['digits-16', 'digits-28'] satisfies Model[]).default('digits-16')

/** What every command takes. */
function common(command: Command): Command {
  hint(command)
  return command
    .option('--json', 'print the result as one JSON document on stdout')
    .option('-q, --quiet', 'show no progress')
    .option('--debug', 'show where an error came from')
}

/** After a mistake commander prints one line; this adds where to look. */
function hint(command: Command): void {
  const names = []
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name())
  command.showHelpAfterError(`Run \`${names.join(' ')} --help\` to see what it takes.`)
}

const examples = (lines: readonly string[]): string => ['', 'Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n')
