import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { expect, test, vi } from 'vitest'
import type { Commands } from './commands.ts'
import { defaultSettings } from './train-settings/index.ts'
import { done, FakeProcess } from './testing/index.ts'
import { UsageError } from './usage-error.ts'

test('the demo gets its defaults', async () => {
  const at = new FakeProcess()
  const demo = vi.fn<Commands['demo']>().mockResolvedValue(done)
  expect(await at.run('demo', { demo })).toBe(0)
  expect(demo.mock.calls[0]?.[0]).toEqual({
    fast: false, out: 'runs/demo', seed: 0, model: 'digits-16', resume: true, command: 'antipode demo', version: '1.2.3',
    signal: expect.any(AbortSignal), progress: expect.anything(),
  })
  expect(at.out).toBe('the answer is 42\n')
})

test('every flag of the demo arrives', async () => {
  const demo = vi.fn<Commands['demo']>().mockResolvedValue(done)
  await new FakeProcess().run('demo --full 8 --out here --seed 7 --model digits-28 --base b.safetensors --fresh -q', { demo })
  expect(demo.mock.calls[0]?.[0]).toMatchObject({ full: 8, out: 'here', seed: 7, model: 'digits-28', base: 'b.safetensors', resume: false })
  await new FakeProcess().run('demo --fast', { demo })
  expect(demo.mock.calls[1]?.[0]).toMatchObject({ fast: true })
  await new FakeProcess().run('demo --full', { demo })
  expect(demo.mock.calls[2]?.[0]).toMatchObject({ full: 4 })
  const suite = vi.fn<Commands['suite']>().mockResolvedValue(done)
  await new FakeProcess().run('demo --suite --out map --seed 2', { suite })
  expect(suite.mock.calls[0]?.[0]).toMatchObject({ seeds: 4, out: 'map', seed: 2, resume: true })
})

test('a checkpoint goes to the file named, or by its model into the directory named', async () => {
  const trainBase = vi.fn<Commands['trainBase']>().mockResolvedValue(done)
  await new FakeProcess().run('train base --steps 1200 --seed 3', { trainBase })
  await new FakeProcess().run('train base --out mine.safetensors --fresh', { trainBase })
  await new FakeProcess().run('train base --out dir --model digits-28', { trainBase })
  const [plain, file, directory] = trainBase.mock.calls.map(([options]) => options)
  expect(plain).toMatchObject({ out: 'runs/base/digits-16.safetensors', steps: 1200, seed: 3, resume: true })
  expect(file).toMatchObject({ out: 'mine.safetensors', resume: false })
  expect(file).not.toHaveProperty('steps')
  expect(directory).toMatchObject({ out: 'dir/digits-28.safetensors', model: 'digits-28' })
})

test('training on preferences gets its defaults, and every flag of it arrives', async () => {
  const trainPreference = vi.fn<Commands['trainPreference']>().mockResolvedValue(done)
  await new FakeProcess().run('train dpo --model m --pairs p', { trainPreference })
  await new FakeProcess().run(
    'train npo -m m -p p -o here --cache there --rank 4 --steps 9 --batch 2 --accumulate 3 --learning-rate 1e-4 --warmup 5 --objective ipo --beta 500 --resolution 768 ' +
    '--seed 7 --dtype f32 --format kohya --skip-damaged --checkpoint-every 10 --sample-every 20 --sample-steps 30 --prompt one two --fresh', { trainPreference },
  )
  const [plain, all] = trainPreference.mock.calls.map(([options]) => options)
  expect(plain).toEqual({
    out: 'runs/dpo', cache: join('runs/dpo', 'encoded'), resume: true, signal: expect.any(AbortSignal), progress: expect.anything(),
    settings: { ...defaultSettings, negated: false, model: 'm', pairs: 'p' },
  })
  expect(all).toMatchObject({
    out: 'here', cache: 'there', resume: false,
    settings: {
      objective: 'ipo', negated: true, rank: 4, steps: 9, batch: 2, accumulate: 3, learningRate: 1e-4, warmup: 5, beta: 500, resolution: 768, seed: 7, dtype: 'f32', format: 'kohya',
      skipDamaged: true, checkpointEvery: 10, sampleEvery: 20, sampleSteps: 30, samplePrompts: ['one', 'two'],
    },
  })
})

test('training on preferences takes the settings of another run, and refuses what is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-settings-'))
  try {
    const file = join(folder, 'settings.json')
    const trainPreference = vi.fn<Commands['trainPreference']>().mockResolvedValue(done)
    const said = async (argv: string): Promise<string> => {
      const at = new FakeProcess()
      expect(await at.run(argv, { trainPreference })).toBe(2)
      return at.err
    }
    writeFileSync(file, JSON.stringify({ ...defaultSettings, negated: false, objective: 'hinge', model: 'm', pairs: 'p', beta: 500 }))
    await new FakeProcess().run(`train npo --settings ${file} --rank 2`, { trainPreference })
    expect(trainPreference.mock.calls[0]?.[0].settings).toMatchObject({ objective: 'hinge', negated: true, model: 'm', pairs: 'p', beta: 500, rank: 2 })
    expect(trainPreference.mock.calls[0]?.[0].out).toBe('runs/negated-hinge')
    writeFileSync(file, '{"model":"m","pairs":"p","betta":5}')
    expect(await said(`train npo --settings ${file}`)).toContain('betta')
    writeFileSync(file, '{"model":"m","pairs":"p","steps":0}')
    expect(await said(`train npo --settings ${file}`)).toContain('expected steps to be a whole number in [1, 10000000], got 0')
    writeFileSync(file, '[]')
    expect(await said(`train npo --settings ${file}`)).toContain('expected --settings to be a file of settings, got another file')
    expect(await said('train dpo --pairs p')).toContain('expected model to be')
    expect(await said('train dpo --model m --pairs p --beta 0')).toContain('Expected a positive, finite number.')
    expect(await said('train dpo --model m --pairs p --objective orpo')).toContain("Expected 'dpo' or 'ipo'")
    expect(await said('train dpo --model m --pairs p --objective sft --beta 1')).toContain('expected beta to be left out with the objective sft, got 1')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('bench profiles or tunes', async () => {
  const [bench, tune] = [vi.fn<Commands['bench']>().mockResolvedValue(done), vi.fn<Commands['tune']>().mockResolvedValue(done)]
  await new FakeProcess().run('bench', { bench })
  await new FakeProcess().run('bench --workload conv --trace t.json', { bench })
  await new FakeProcess().run('bench --tune', { tune })
  const shared = { signal: expect.any(AbortSignal), progress: expect.anything() }
  expect(bench.mock.calls).toEqual([[{ ...shared, workload: 'digits-train' }], [{ ...shared, workload: 'conv', trace: 't.json' }]])
  expect(tune.mock.calls).toEqual([[shared]])
})

test('with --json stdout carries one document, whatever happens', async () => {
  const parse = async (argv: string, commands: Partial<Commands>): Promise<unknown> => {
    const at = new FakeProcess()
    await at.run(argv, commands)
    return JSON.parse(at.out)
  }
  const doctor: Commands['doctor'] = ({ progress }) => {
    progress.phase('measuring', 1).done()
    return Promise.resolve(done)
  }
  const failing = (error: Error): Partial<Commands> => ({ demo: async () => { throw error } })
  expect(await parse('doctor --json', { doctor })).toEqual({ answer: 42 })
  expect(await parse('demo --json', failing(new CheckpointError('no base')))).toEqual({ error: { code: 'CHECKPOINT', message: 'no base' } })
  expect(await parse('demo --json', failing(new TypeError('x is undefined')))).toEqual({ error: { code: 'INTERNAL', message: 'x is undefined' } })
  expect(await parse('demo --json --seed x', {})).toMatchObject({ error: { code: 'USAGE', message: expect.stringContaining("'x' is invalid") } })
})

test('--json prints one document wherever it stands, help and version among them', async () => {
  const parse = async (argv: string, commands: Partial<Commands> = {}): Promise<unknown> => {
    const at = new FakeProcess()
    await at.run(argv, commands)
    return JSON.parse(at.out)
  }
  const trainBase: Commands['trainBase'] = () => Promise.resolve(done)
  for (const argv of ['--json train base', 'train --json base', 'train base --json', '-q --json train base']) {
    expect(await parse(argv, { trainBase }), argv).toEqual({ answer: 42 })
  }
  expect(await parse('--version --json')).toEqual({ version: '1.2.3' })
  for (const argv of ['demo --help --json', '--json help demo', '--json demo -h']) {
    expect(await parse(argv), argv).toMatchObject({
      command: 'antipode demo', commands: [],
      options: expect.arrayContaining([
        { flags: '--seed <n>', description: expect.any(String), range: 'a whole number in [0, 999000]', default: 0, everywhere: false },
        { flags: '--json', description: expect.any(String), everywhere: true },
      ]),
    })
  }
  expect(await parse('--help --json')).toMatchObject({ command: 'antipode', commands: expect.arrayContaining([{ name: 'bench', description: expect.any(String) }]) })
  for (const argv of ['--json', 'train --json', 'help nothing --json']) {
    expect(await parse(argv), argv).toMatchObject({ error: { code: 'USAGE', message: expect.stringContaining('expected a command') } })
  }
})

test('a flag of the program is one wherever it stands', async () => {
  const doctor: Commands['doctor'] = ({ progress }) => {
    progress.phase('measuring', 1).done()
    return Promise.reject(new CheckpointError('broken'))
  }
  const at = new FakeProcess()
  await at.run('-q --debug doctor', { doctor })
  expect(at.err).toContain('cli.test.ts')
  expect(at.err).not.toContain('measuring')
})

test('the help of every option with a value says its range, which the complaint about another value repeats', async () => {
  for (const command of ['demo', 'train base', 'bench']) {
    const help = new FakeProcess()
    await help.run(`${command} --help --json`)
    const { options } = JSON.parse(help.out) as { options: { flags: string; range?: string }[] }
    for (const { flags, range } of options.filter((one) => /[<[]\w+[>\]]/.test(one.flags))) {
      expect(range, flags).toBeDefined()
      const text = new FakeProcess()
      await text.run(`${command} --help`)
      expect(text.out.replaceAll(/\s+/g, ' '), flags).toContain(range)
      const wrong = new FakeProcess()
      expect(await wrong.run(`${command} ${/--[\w-]+/.exec(flags)?.[0]}=`), flags).toBe(2)
      expect(wrong.err).toContain(`Expected ${range}.`)
    }
  }
})

test('what a command needs and is not there is wrong usage', async () => {
  const demo: Commands['demo'] = () => Promise.reject(new UsageError('demo: expected a base, got none; make one'))
  const at = new FakeProcess()
  expect(await at.run('demo --json', { demo })).toBe(2)
  expect(at.err).toBe('error: demo: expected a base, got none; make one\n')
  expect(JSON.parse(at.out)).toEqual({ error: { code: 'USAGE', message: 'demo: expected a base, got none; make one' } })
})

test.each(['--version', '--help', 'doctor', 'doctor --json', 'doctor --json --seed', '--help --json'])('an output of %s that cannot be written is a failure', async (argv) => {
  const doctor: Commands['doctor'] = () => Promise.resolve(done)
  const full = new FakeProcess()
  full.refusal = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(await full.run(argv, { doctor })).toBe(1)
  expect(full.err).toContain('error: the output cannot be written: ENOSPC: no space left on device, write\n')
  const unread = new FakeProcess()
  unread.refusal = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  expect(await unread.run(argv, { doctor })).toBe(141)
  expect(unread.err).not.toContain('EPIPE')
})

test.each([
  ['demo --bogus', "error: unknown option '--bogus'\nRun `antipode demo --help` to see what it takes.\n"],
  ['demo --fats', "error: unknown option '--fats'\n(Did you mean --fast?)\nRun `antipode demo --help` to see what it takes.\n"],
  ['dmeo', "error: unknown command 'dmeo'\n(Did you mean demo?)\nRun `antipode --help` to see what it takes.\n"],
  ['train bse', "error: unknown command 'bse'\n(Did you mean base?)\nRun `antipode train --help` to see what it takes.\n"],
  ['demo extra', 'error: too many arguments for \'demo\'. Expected 0 arguments but got 1.\nRun `antipode demo --help` to see what it takes.\n'],
  ['demo --suite --base b.safetensors', "error: option '--suite [seeds]' cannot be used with option '--base <file>'\nRun `antipode demo --help` to see what it takes.\n"],
  ['demo --fast --full', "error: option '--fast' cannot be used with option '--full [seeds]'\nRun `antipode demo --help` to see what it takes.\n"],
])('%s is answered by one message and a hint, and exit code 2', async (argv, message) => {
  const at = new FakeProcess()
  expect(await at.run(argv)).toBe(2)
  expect(at.err).toBe(message)
  expect(at.out).toBe('')
})

test.each([
  'demo --seed 1.5', 'demo --seed -1', 'demo --seed 1e3', 'demo --seed 999001', 'demo --seed', 'demo --full 0', 'demo --full x',
  'demo --model big', 'demo --out=', 'train base --steps 0', 'train base --steps 200', 'train base --steps ten', 'doctor --fast', 'demo --out --json', 'demo --base -q',
  'bench --workload all', 'bench --trace=', 'bench --tune --trace t.json',
])('%s is wrong usage', async (argv) => {
  const at = new FakeProcess()
  expect(await at.run(argv)).toBe(2)
  expect(at.err).toMatch(/^error: [^\n]+\nRun `antipode (demo|doctor|train base|bench) --help` to see what it takes\.\n$/)
})

test('help and version are answers, no command is a mistake', async () => {
  const help = new FakeProcess()
  expect(await help.run('demo --help')).toBe(0)
  expect(help.out).toMatch(/^Usage: antipode demo \[options\]\n/)
  expect(help.out).toContain('$ antipode demo --fast --out fast')
  expect(help.err).toBe('')
  const version = new FakeProcess()
  expect(await version.run('--version')).toBe(0)
  expect(version.out).toBe('1.2.3\n')
  const nothing = new FakeProcess()
  expect(await nothing.run('')).toBe(2)
  expect(nothing.err).toContain('Commands:')
})

test('the doctor\'s finding is the exit code', async () => {
  const doctor: Commands['doctor'] = () => Promise.resolve({ ...done, exitCode: 1 })
  expect(await new FakeProcess().run('doctor', { doctor })).toBe(1)
})

test('a typed error is one line, with its stack and causes only for --debug', async () => {
  const error = new CheckpointError('demo: expected a base checkpoint, got none; train one', { cause: new Error('ENOENT') })
  const demo: Commands['demo'] = () => Promise.reject(error)
  const plain = new FakeProcess()
  expect(await plain.run('demo', { demo })).toBe(1)
  expect(plain.err).toBe('error: demo: expected a base checkpoint, got none; train one\n')
  const debug = new FakeProcess()
  await debug.run('demo --debug', { demo })
  expect(debug.err).toContain('cli.test.ts')
  expect(debug.err).toContain('caused by Error: ENOENT')
})

test('an error of the system is no bug, an untyped one is', async () => {
  const system = new FakeProcess()
  const full = Object.assign(new Error("ENOSPC: no space left on device, write 'report.json'"), { code: 'ENOSPC' })
  await system.run('demo', { demo: () => Promise.reject(full) })
  expect(system.err).toBe("error: ENOSPC: no space left on device, write 'report.json'\n")
  const bug = new FakeProcess()
  expect(await bug.run('demo', { demo: () => Promise.reject(new TypeError('x is undefined')) })).toBe(1)
  expect(bug.err).toMatch(/^internal error: x is undefined\nThis is a bug/)
})

test('Ctrl-C ends a command in order, and tells that it can be resumed', async () => {
  const at = new FakeProcess()
  const code = await at.run('demo --json', {
    demo: async ({ signal, progress }) => {
      const phase = progress.phase('training', 10)
      at.emit('SIGINT')
      phase.advance()
      signal.throwIfAborted()
      return done
    },
  })
  expect(code).toBe(130)
  expect(at.err).toBe(
    'training ...\ninterrupted: stopping after the current step; press Ctrl-C again to stop at once\n' +
    'interrupted: what was done is kept; the same command goes on from there\n',
  )
  expect(JSON.parse(at.out)).toMatchObject({ error: { code: 'INTERRUPTED' } })
  expect(at.exited).toEqual([])
  expect(at.eventNames()).toEqual([])
})

test('a second Ctrl-C, or SIGTERM after it, ends the process at once', async () => {
  const at = new FakeProcess()
  await at.run('doctor', {
    doctor: ({ signal }) => {
      at.emit('SIGINT')
      at.emit('SIGTERM')
      expect(at.exited).toEqual([130])
      return Promise.reject(signal.reason as Error)
    },
  })
})

test('a second Ctrl-C with --json still prints a document, and only one', async () => {
  const at = new FakeProcess()
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => { end = resolve })
  const running = at.run('demo --json', { demo: async () => { await ended; return done } })
  at.emit('SIGINT')
  at.emit('SIGINT')
  await vi.waitFor(() => { expect(at.exited).toEqual([130]) })
  expect(JSON.parse(at.out)).toMatchObject({ error: { code: 'INTERRUPTED' } })
  end()
  await running
  expect(() => JSON.parse(at.out) as unknown).not.toThrow()
})

test('a failure after Ctrl-C is not hidden behind the interruption', async () => {
  const at = new FakeProcess()
  const code = await at.run('train base', {
    trainBase: () => {
      at.emit('SIGINT')
      return Promise.reject(new CheckpointError('the checkpoint could not be written'))
    },
  })
  expect(code).toBe(1)
  expect(at.err).toContain('error: the checkpoint could not be written\n')
  expect(at.err).not.toContain('goes on from there')
})
