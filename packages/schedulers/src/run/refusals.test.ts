import { describe, expect, test } from 'vitest'
import {
  ConfigError, convertPrediction, ddim, deisMultistep, dpmSolverMultistep, dpmSolverSinglestep, dynamicThreshold, edmDpmSolverMultistep, edmEuler,
  euler, float32Linear, flowMatchEuler, flowMatchHeun, imageMu, ipndm, lcm, lms, mapState, minSnrWeight, noiseSchedule, perItem, philox, pndm,
  saSolver, SchedulerError, tcd, torchCpu, uniPc, videoCrafterDdim, type Scheduler, type SchedulerState, type Steps,
} from '../index.ts'

// JavaScript passes what no type allows.
const any = (value: unknown): never => value as never
const [x, level] = [Float32Array.of(0.5, -1), { signal: 0.8, noise: 0.6 }]

describe('options', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['a solver', () => euler(any({ karras: true })), /euler: expected options among .*got 'karras'/],
    ['a solver without options', () => ipndm(any({ order: 2 })), /ipndm: expected no options, got 'order'/],
    ["a solver's source", () => euler({}, any({ file: 1 })), /source: expected options among given, carried/],
    ['noiseSchedule', () => noiseSchedule(any({ betas: [0.1] })), /noiseSchedule.*'betas'/],
    ['philox', () => philox(1, any({ streams: 2 })), /philox.*'streams'/],
    ['minSnrWeight', () => minSnrWeight(level, any({ predictionType: 'epsilon', gama: 3 })), /minSnrWeight.*'gama'/],
    ['convertPrediction', () => convertPrediction(float32Linear, any({ from: 'epsilon', into: 'sample' }), level, x, x), /'into'/],
    ['a request', () => euler().timesteps(any({ count: 5, strenght: 0.5 })), /euler.timesteps.*'strenght'/],
    ['the hooks of a step', () => euler().step(float32Linear, euler().begin(5), x, x, undefined, any({ x1: () => x })), /hooks.*'x1'/],
  ])('%s has no option that nobody knows', (_, call, message) => {
    expect(call).toThrow(ConfigError)
    expect(call).toThrow(message)
  })

  test('what is no object of options is refused', () => {
    for (const options of [null, 5, 'epsilon', [], true]) {
      for (const call of [() => ddim(any(options)), () => noiseSchedule(any(options)), () => philox(1, any(options)), () => minSnrWeight(level, any(options))]) {
        expect(call, String(options)).toThrow(ConfigError)
      }
    }
    expect(() => minSnrWeight(level, any({}))).toThrow(/predictionType to be one of .*got none/)
    expect(() => convertPrediction(float32Linear, any({ from: 'epsilon' }), level, x, x)).toThrow(/to to be one of .*got none/)
    expect(() => convertPrediction(float32Linear, any({ from: 'x0', to: 'x0' }), level, x, x)).toThrow(ConfigError)
    expect(() => euler().step(float32Linear, euler().begin(5), x, x, undefined, any({ x0: 3 }))).toThrow(/hooks.x0 to be a function/)
  })

  const outside: readonly (readonly [(options: never) => unknown, object])[] = [
    ...[0, 1.5, -1, Number.NaN, Infinity, 1e7, '1000'].map((numTrainTimesteps) => [ddim, { numTrainTimesteps }] as const),
    ...[-1e-9, 1, 2, Number.NaN, Infinity].flatMap((beta) => [[ddim, { betaStart: beta }], [euler, { betaEnd: beta }], [lms, { trainedBetas: [0.1, beta] }]] as const),
    ...[[], [Number.NaN], ['0.1'], 0.1, { length: 1 }].map((trainedBetas) => [ddim, { trainedBetas }] as const),
    ...[0, 9, 2.5].flatMap((order) => [[lms, { order }], [uniPc, { solverOrder: order }], [dpmSolverMultistep, { solverOrder: order }]] as const),
    [uniPc, { disableCorrector: [-1] }],
    [euler, { sChurn: -1 }],
    [euler, { sChurn: Number.NaN }],
    [ddim, { eta: 1.01 }],
    [flowMatchEuler, { shift: 0 }],
    [flowMatchEuler, { shift: Infinity }],
    [flowMatchEuler, { shiftTerminal: 1 }],
    [flowMatchHeun, { numTrainTimesteps: 1e7 }],
    [videoCrafterDdim, { turningStep: 1e9 }],
    [edmEuler, { sigmaMin: 80 }],
    [edmEuler, { sigmaData: 0 }],
  ]
  test.each(outside)('a value outside its range is refused: %o %j', (solver, options) => {
    expect(() => solver(any(options))).toThrow(ConfigError)
  })

  test('a model of v is refused on the levels of a flow', () => {
    for (const solver of [dpmSolverMultistep, dpmSolverSinglestep, deisMultistep, uniPc, saSolver]) {
      expect(() => solver(any({ useFlowSigmas: true, predictionType: 'v_prediction' }))).toThrow(/for useFlowSigmas, got 'v_prediction'/)
    }
  })
})

describe('requests', () => {
  const requests: readonly unknown[] = [
    null, undefined, '5', true, [], Number.NaN, 0, -3, 2.5, 1e12, Infinity, {}, { count: '5' }, { count: 5, timesteps: [3] },
    { count: 5, strength: '0.5' }, { count: 5, strength: Number.NaN }, { count: 5, strength: 0 }, { count: 5, strength: 1.1 },
    { timesteps: [] }, { timesteps: '987' }, { timesteps: 5 }, { timesteps: [5, 5] }, { timesteps: [1, 2] }, { timesteps: ['5'] },
    { timesteps: [Number.NaN] }, { timesteps: [null] }, { timesteps: [1e9] }, { timesteps: [-1] },
    { sigmas: [] }, { sigmas: [0] }, { sigmas: [1, 2] }, { sigmas: [2, 2] }, { sigmas: [1, Number.NaN] }, { sigmas: [Infinity, 1] },
    { sigmas: [1e39, 1] }, { sigmas: [1, 1 - 1e-12] }, { sigmas: [1e-50] }, { sigmas: ['1'] }, { mu: 1 }, { count: 5, mu: Number.NaN },
  ]
  test.each(requests.map((request) => [request]))('%j is refused by every kind of solver', (request) => {
    for (const scheduler of [ddim(), euler(), dpmSolverMultistep(), flowMatchEuler(), edmDpmSolverMultistep(), ipndm(), lcm()]) {
      expect(() => scheduler.timesteps(request as Steps), scheduler.name).toThrow(SchedulerError)
    }
  })

  test('a strength that leaves no step is named, with what would do', () => {
    const ask = (scheduler: Scheduler, steps: Steps) => (): unknown => scheduler.begin(steps)
    expect(ask(euler(), { count: 10, strength: 0.05 })).toThrow('euler.timesteps: expected strength to leave one of 10 steps, got 0.05; take strength 0.1 or more, or 20 steps')
    expect(ask(tcd(), { timesteps: [900, 500], strength: 0.3 })).toThrow(/expected strength to leave one of 2 steps, got 0.3/)
    expect(ask(lcm(), { count: 1, strength: 0.01 })).toThrow(/expected strength to leave one of 50 steps, got 0.01/)
    for (const count of [1, 3, 7, 49, 333]) {
      // What the message says does.
      const enough = Math.ceil(1e4 / count) / 1e4
      expect(euler().timesteps({ count, strength: enough }).start ?? 0).toBe(count - 1)
    }
  })

  test('levels beyond those of a flow, and shifts without end, are refused', () => {
    expect(() => flowMatchEuler().timesteps({ sigmas: [2, 1] })).toThrow(/levels of signal and noise, got 2 at call 0/)
    for (const mu of [Number.NaN, Infinity, 1000]) {
      expect(() => flowMatchEuler({ useDynamicShifting: true }).timesteps({ count: 3, mu })).toThrow(/mu/)
    }
    expect(() => imageMu(Number.NaN)).toThrow(SchedulerError)
    expect(() => imageMu(9, { baseShift: 1, maxShift: 2, baseImageSeqLen: 4, maxImageSeqLen: 4 })).toThrow(SchedulerError)
  })
})

describe('levels, states and streams', () => {
  test('noise is added, and a velocity told, only at timesteps that models are told', () => {
    for (const [scheduler, outside] of [
      [ddim(), [-1, 1000, 0.5, Number.NaN, Infinity]],
      [euler(), [-1, 999.5, Number.NaN, Infinity]],
      [flowMatchEuler(), [-1, 1001, Number.NaN, Infinity]],
      [dpmSolverMultistep({ useFlowSigmas: true, predictionType: 'flow_prediction' }), [-1, 1001, Number.NaN]],
      [ipndm(), [-0.1, 1.5, Number.NaN]],
      [edmEuler(), [Number.NaN, Infinity]],
    ] as const) {
      for (const at of outside) {
        expect(() => scheduler.addNoise(float32Linear, x, x, at), `${scheduler.name} at ${at}`).toThrow(SchedulerError)
        expect(() => scheduler.velocity(float32Linear, x, x, at), `${scheduler.name} at ${at}`).toThrow(SchedulerError)
      }
    }
    for (const at of [0, 999]) expect(ddim().addNoise(float32Linear, x, x, at).every(Number.isFinite)).toBe(true)
    for (const at of [0, 1000]) expect(flowMatchEuler().addNoise(float32Linear, x, x, at).every(Number.isFinite)).toBe(true)
  })

  test('a state that was not finite when it was written is refused when it is read', () => {
    const state: SchedulerState<Float32Array> = { ...lms().begin<Float32Array>(5), history: [Float32Array.of(Number.NaN, -0)] }
    const read = JSON.parse(JSON.stringify(mapState(state, (value) => [...value]))) as SchedulerState<number[]>
    expect(() => mapState(read, (value) => Float32Array.from(value))).toThrow(/mapState: expected numbers, got null/)
  })

  test('a state of another solver, of no plan, or between two steps is refused', () => {
    const state = euler().begin<Float32Array>(5)
    const step = (other: unknown) => () => euler().step(float32Linear, other as SchedulerState<Float32Array>, x, x)
    expect(step(lms().begin(5))).toThrow(/a plan of euler, got one of 'lms'/)
    for (const at of [-1, 0.5, Number.NaN, 5, '1']) expect(step({ ...state, step: at }), String(at)).toThrow(SchedulerError)
    const { plan } = state
    for (const part of [
      { timesteps: undefined }, { timesteps: [] }, { timesteps: [null] }, { sigmas: [...plan.sigmas!.slice(1), null] }, { sigmas: [1, 0] },
    ]) {
      expect(step({ ...state, plan: { ...plan, ...part } }), JSON.stringify(part)).toThrow(SchedulerError)
      expect(() => euler().begin(any({ ...plan, ...part }))).toThrow(SchedulerError)
    }
    // A plan of a longer training than this one's.
    const late = ddim().begin<Float32Array>(5)
    expect(() => ddim({ numTrainTimesteps: 100 }).step(float32Linear, late, x, x)).toThrow(/a whole timestep from 0 to 99/)
  })

  test('a stream refuses the state of another', () => {
    expect(() => torchCpu(0).draw(any(philox(0).begin()), 4)).toThrow(/torchCpu.draw: expected a state of torchCpu, got drawn/)
    expect(() => philox(0).draw(any(torchCpu(0).begin()), 4)).toThrow(/philox.draw: expected a state of philox/)
    expect(() => perItem([philox(0), philox(1)]).draw([philox(0).begin()], 4)).toThrow(/a state of 2 streams, got 1/)
    for (const stream of [-1, 2 ** 32, 0.5, Number.NaN, '1']) expect(() => philox(0, any({ stream }))).toThrow(ConfigError)
  })

  test('dynamic thresholding keeps a NaN and knows its ranges', () => {
    const config = { dynamicThresholdingRatio: 0.5, sampleMaxValue: 1 }
    const made = dynamicThreshold(config, 2)(Float32Array.of(Number.NaN, 1, 2, 3, 4, 5, 6, 7))
    expect([...made].map(Number.isNaN)).toEqual([true, true, true, true, false, false, false, false])
    for (const wrong of [{ dynamicThresholdingRatio: 2 }, { dynamicThresholdingRatio: Number.NaN }, { sampleMaxValue: 0 }]) {
      expect(() => dynamicThreshold({ ...config, ...wrong }, 1)).toThrow(ConfigError)
    }
    for (const batch of [0, -1, 1.5, Number.NaN]) expect(() => dynamicThreshold(config, batch)).toThrow(ConfigError)
  })

  test('distilled grids that no training has are refused', () => {
    expect(() => lcm({ originalInferenceSteps: 2000 })).toThrow(/originalInferenceSteps up to 1000/)
    expect(() => tcd({ originalInferenceSteps: 4 }).timesteps(5)).toThrow(SchedulerError)
    expect(() => pndm().timesteps({ timesteps: [900] })).toThrow(/steps by count, strength/)
  })
})
