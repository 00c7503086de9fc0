import { expect, test } from 'vitest'
import { ConfigError, fromConfig, toConfig, uniPc, type DpmConfig, type EulerConfig } from '../index.ts'

// What Stable Diffusion 1.5 ships, as read from its public checkpoint.
const stableDiffusion = {
  _class_name: 'PNDMScheduler',
  _diffusers_version: '0.6.0',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
}

test('a file makes the solver that its class names, with its values', () => {
  const scheduler = fromConfig({ _class_name: 'EulerDiscreteScheduler', use_karras_sigmas: true, sigma_min: 0.002 })
  const config = scheduler.config as EulerConfig
  expect(scheduler.name).toBe('euler')
  expect([config.useKarrasSigmas, config.sigmaMin, config.numTrainTimesteps]).toEqual([true, 0.002, 1000])
  expect(Object.isFrozen(config)).toBe(true)
})

test('the file of Stable Diffusion 1.5 makes its own solver', () => {
  const scheduler = fromConfig(stableDiffusion)
  expect(scheduler.name).toBe('pndm')
  expect(scheduler.timesteps(20).timesteps.slice(0, 4)).toEqual([951, 901, 901, 851])
})

// A class that no solver here stands for.
const foreign = { ...stableDiffusion, _class_name: 'RePaintScheduler' }

test('another solver takes over the noise schedule of a file whose class is not here', () => {
  const scheduler = fromConfig(foreign, { solver: 'dpmSolverMultistep' })
  expect((scheduler.config as DpmConfig).betaSchedule).toBe('scaled_linear')
  expect((scheduler.config as DpmConfig).stepsOffset).toBe(1)
  expect(fromConfig(foreign, { solver: 'ddim' }).timesteps(20).timesteps[0]).toBe(951)
})

test("values that a file lists as its own class's defaults do not follow to another solver", () => {
  const file = {
    _class_name: 'DDIMScheduler',
    _use_default_values: ['timestep_spacing'],
    timestep_spacing: 'leading',
  }
  expect((fromConfig(file).config as EulerConfig).timestepSpacing).toBe('leading')
  expect((fromConfig(file, { solver: 'euler' }).config as EulerConfig).timestepSpacing).toBe('linspace')
})

test("the text of a file may hold Python's bare infinities", () => {
  const text = '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "solver_order": 3}'
  const config = fromConfig(text).config as DpmConfig
  expect([config.lambdaMinClipped, config.solverOrder]).toEqual([-Infinity, 3])
})

test('an unknown class is refused with the classes that exist', () => {
  expect(() => fromConfig(foreign)).toThrow(ConfigError)
  expect(() => fromConfig(foreign)).toThrow(/DDIMScheduler.*got 'RePaintScheduler'/)
  expect(() => fromConfig({})).toThrow(/got undefined/)
  expect(() => fromConfig({ _class_name: 'toString' })).toThrow(ConfigError)
  expect(() => fromConfig({ _class_name: 'DDIMScheduler' }, { solver: 'toString' as 'ddim' })).toThrow(ConfigError)
})

const flow = { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: 3, use_dynamic_shifting: false, base_shift: 0.5 }

test("a flow's file keeps its meaning with another solver that runs flows", () => {
  for (const solver of ['dpmSolverMultistep', 'dpmSolverSinglestep', 'deisMultistep', 'uniPc', 'saSolver']) {
    const scheduler = fromConfig(flow, { solver })
    expect(scheduler.config).toMatchObject({ useFlowSigmas: true, predictionType: 'flow_prediction', flowShift: 3 })
    const back = fromConfig(toConfig(scheduler), { solver: 'flowMatchEuler' })
    expect(back.config).toMatchObject({ shift: 3, baseShift: 0.5 })
    expect(fromConfig(toConfig(scheduler), { solver: uniPc }).config).toMatchObject({ useFlowSigmas: true, flowShift: 3 })
  }
  expect(fromConfig(flow, { solver: 'flowMatchHeun' }).config).toMatchObject({ shift: 3 })
  const shifting = { ...flow, use_dynamic_shifting: true, time_shift_type: 'exponential' }
  expect(fromConfig(shifting, { solver: 'uniPc' }).accepts).toContain('mu')
})

test('a solver for models of another kind than the file is refused by name', () => {
  const edm = { _class_name: 'EDMEulerScheduler', sigma_data: 0.5 }
  const distilled = { _class_name: 'CMStochasticIterativeScheduler' }
  const angles = { _class_name: 'IPNDMScheduler' }
  for (const [file, solver, models] of [
    [flow, 'euler', 'a flow'],
    [flow, 'ddim', 'a flow'],
    [{ ...flow, _class_name: 'FlowMatchLCMScheduler' }, 'lcm', 'a flow'],
    [flow, 'edmEuler', 'a flow'],
    [edm, 'euler', 'EDM'],
    [edm, 'dpmSolverMultistep', 'EDM'],
    [distilled, 'lcm', 'a consistency model'],
    [angles, 'pndm', 'v at angles'],
    [stableDiffusion, 'flowMatchEuler', 'a table of betas'],
    [stableDiffusion, 'edmEuler', 'a table of betas'],
    [stableDiffusion, 'ipndm', 'a table of betas'],
    [{ _class_name: 'UniPCMultistepScheduler', use_flow_sigmas: true, prediction_type: 'flow_prediction' }, 'euler', 'a flow'],
  ] as const) {
    expect(() => fromConfig(file, { solver }), solver).toThrow(ConfigError)
    expect(() => fromConfig(file, { solver })).toThrow(new RegExp(`expected a solver for models of ${models}.*got ${solver}`))
  }
  expect(fromConfig(edm, { solver: 'edmDpmSolverMultistep' }).name).toBe('edmDpmSolverMultistep')
})

test('what a flow asks for and the other solver lacks is refused by name', () => {
  const of = (entries: object, solver = 'dpmSolverMultistep') => () => fromConfig({ ...flow, ...entries }, { solver })
  expect(of({ invert_sigmas: true })).toThrow(/invert_sigmas to be false or null for dpmSolverMultistep, got true/)
  expect(of({ stochastic_sampling: true })).toThrow(/stochastic_sampling/)
  expect(of({ time_shift_type: 'linear' })).toThrow(/time_shift_type/)
  expect(of({ shift_terminal: 0.1 })).toThrow(/shift_terminal/)
  expect(of({ shift_terminal: 0.1 }, 'uniPc')).not.toThrow()
  expect(of({ use_dynamic_shifting: true }, 'saSolver')).toThrow(/use_dynamic_shifting/)
})

test('an unknown option of fromConfig, and what is no object, are refused', () => {
  expect(() => fromConfig(flow, { solvr: 'uniPc' } as object)).toThrow(/options among solver, got 'solvr'/)
  for (const config of [null, undefined, 3, [], true]) expect(() => fromConfig(config as unknown as object)).toThrow(ConfigError)
  for (const options of [null, 3, 'ddim', []]) expect(() => fromConfig(flow, options as object)).toThrow(ConfigError)
})

test('an unknown key or value is refused by name', () => {
  const of = (entries: object): (() => unknown) => () => fromConfig({ _class_name: 'DDIMScheduler', ...entries })
  expect(of({ beta_begin: 1 })).toThrow(/got 'beta_begin'/)
  expect(of({ beta_schedule: 'sigmoid' })).toThrow(/betaSchedule to be one of/)
  expect(of({ num_train_timesteps: '1000' })).toThrow(/whole number from 1 to 1000000, got '1000'/)
  expect(of({ prediction_type: 'flow_prediction' })).toThrow(/predictionType to be one of/)
  expect(of({ clip_sample: 1 })).toThrow(/true or false/)
})

test('what a file asks for and no solver here does is refused', () => {
  const of = (entries: object): (() => unknown) => () =>
    fromConfig({ _class_name: 'DPMSolverMultistepScheduler', ...entries })
  expect(of({ variance_type: 'learned_range' })).toThrow(/not supported/)
  expect(of({ use_dynamic_shifting: true })).toThrow(/expected useFlowSigmas/)
  expect(of({ variance_type: null, use_dynamic_shifting: false })).not.toThrow()
  expect(of({ algorithm_type: 'dpmsolver' })).toThrow(/finalSigmasType 'sigma_min' for dpmsolver/)
  expect(of({ algorithm_type: 'sde-dpmsolver', final_sigmas_type: 'sigma_min', solver_order: 3 })).toThrow(/from 1 to 2/)
  expect(of({ use_karras_sigmas: true, use_lu_lambdas: true })).toThrow(/got useKarrasSigmas and useLuLambdas/)
  expect(of({ prediction_type: 'flow_prediction' })).toThrow(/expected useFlowSigmas/)
})

test('text that holds no object is refused', () => {
  for (const text of ['', '{"a": ', '[]', 'null', '3']) expect(() => fromConfig(text)).toThrow(ConfigError)
})
