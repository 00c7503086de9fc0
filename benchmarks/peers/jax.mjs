import { readFileSync } from 'node:fs'
import { browserLike } from './host.mjs'

const learningRate = 0.05
const names = ['conv1', 'conv2', 'conv3', 'dense']

/** jax-js on WebGPU. Everything but the chains is compiled by its `jit`; operations consume their arguments unless `.ref` is taken. */
export async function open() {
  const host = await browserLike()
  addIteratorHelpers()
  const jax = await import('@jax-js/jax')
  await jax.init('webgpu')
  jax.defaultDevice('webgpu')
  const { version } = JSON.parse(readFileSync(new URL('./node_modules/@jax-js/jax/package.json', import.meta.url), 'utf8'))
  return { name: 'jax-js', version, ...host, prepare: async (problem) => (problem.kind === 'trainStep' ? training(jax, problem) : forward(jax, problem)) }
}

/** Node 20 lacks the iterator helpers that jax-js calls. */
function addIteratorHelpers() {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))
  prototype.map ??= function* (fn) { let i = 0; for (const x of this) yield fn(x, i++) }
  prototype.filter ??= function* (fn) { for (const x of this) if (fn(x)) yield x }
  prototype.toArray ??= function () { return [...this] }
  prototype.some ??= function (fn) { for (const x of this) if (fn(x)) return true; return false }
  prototype.every ??= function (fn) { for (const x of this) if (!fn(x)) return false; return true }
  prototype.reduce ??= function (fn, start) { return [...this].reduce(fn, start) }
}

async function forward(jax, problem) {
  const { kind } = problem
  const attention = kind === 'attention' || kind === 'attentionGrad'
  const { numpy: np } = jax
  // It wants attention as [B, N, heads, D].
  const heads = (x) => np.transpose(x, [0, 2, 1, 3])
  const inputs = Object.values(problem.inputs).map(({ shape, data }) => {
    const x = np.array(data).reshape(shape)
    return attention ? heads(x) : x
  })
  for (const x of inputs) await x.blockUntilReady()
  const compute = computation(jax, problem)
  // It computes when a result is waited for, and never what was disposed before: runs that are waited for together all keep theirs.
  const waiting = []
  let results = []
  return {
    async run() {
      const made = compute(...inputs.map((x) => x.ref))
      waiting.push(Array.isArray(made) ? made : [made])
    },
    async wait() {
      await jax.blockUntilReady(waiting.flat())
      for (const result of results) result.dispose()
      results = waiting.pop() ?? []
      for (const result of waiting.splice(0).flat()) result.dispose()
    },
    read: () => Promise.all(results.map((result) => (attention ? heads(result.ref) : result.ref).data())),
  }
}

/** How each operation is written with this library. */
function computation({ jit, lax, nn, numpy: np, vjp }, { kind, inputs, repeats = 1 }) {
  const conv = (x, w) => lax.convGeneralDilated(x, w, [1, 1], 'SAME')
  const pull = (fn, primals, cotangent) => {
    const [y, back] = vjp(fn, primals)
    y.dispose()
    return back(cotangent)
  }
  const gate = (x) => {
    const [a, b] = np.split(x, 2, -1)
    return a.mul(nn.gelu(b, { approximate: false }))
  }
  const repeat = (x, y, next) => {
    let out = x
    for (let i = 0; i < repeats; i++) out = next(out, y.ref)
    y.dispose()
    return out
  }
  const table = {
    matmul: () => jit((a, b) => np.matmul(a, b)),
    conv3x3: () => jit(conv),
    conv3x3Input: () => jit((g, w) => pull((x) => conv(x, w), [np.zeros(inputs.g.shape)], g)[0]),
    conv3x3Weight: () => jit((x, g) => pull((w) => conv(x, w), [np.zeros([inputs.g.shape[1], inputs.x.shape[1], 3, 3])], g)[0]),
    attention: () => jit((q, k, v) => nn.dotProductAttention(q, k, v)),
    attentionGrad: () => jit((q, k, v, g) => pull((a, b, c) => nn.dotProductAttention(a, b, c), [q, k, v], g)),
    groupNormSilu: () => jit((x, weight, bias) => {
      const scaled = nn.standardize(x.reshape([32, 10240]), -1, { epsilon: 1e-5 }).reshape([1, 320, 32, 32])
      return nn.silu(scaled.mul(weight.reshape([1, 320, 1, 1])).add(bias.reshape([1, 320, 1, 1])))
    }),
    geglu: () => jit(gate),
    feedForward: () => jit((x, w1, b1, w2, b2) => np.matmul(gate(np.matmul(x, np.transpose(w1)).add(b1)), np.transpose(w2)).add(b2)),
    add: () => jit((a, b) => a.add(b)),
    // Its jit makes one expression of the additions, too deep for a shader compiler.
    addChain: () => (x, b) => repeat(x, b, (y, c) => y.add(c)),
    matmulChain: () => (x, r) => repeat(x, r, (y, c) => np.matmul(y, c)),
  }
  return table[kind]()
}

async function training({ blockUntilReady, jit, lax, nn, numpy: np, valueAndGrad }, problem) {
  const { images: x, labels } = problem.inputs
  const images = np.array(x.data).reshape(x.shape)
  const targets = np.array(Float32Array.from({ length: 320 }, (_, i) => (labels.data[Math.floor(i / 10)] === i % 10 ? 1 : 0))).reshape([32, 10])
  const conv = (input, w, stride) => nn.relu(lax.convGeneralDilated(input, w, [stride, stride], [[1, 1], [1, 1]]))
  const lossOf = ({ conv1, conv2, conv3, dense }, input, target) => {
    const features = conv(conv(conv(input, conv1, 1), conv2, 2), conv3, 2).reshape([32, 1568])
    return np.sum(nn.logSoftmax(np.matmul(features, np.transpose(dense))).mul(target)).mul(-1 / 32)
  }
  const step = jit((weights, input, target) => {
    const kept = Object.fromEntries(names.map((name) => [name, weights[name].ref]))
    const [loss, grads] = valueAndGrad(lossOf)(weights, input, target)
    return [loss, Object.fromEntries(names.map((name) => [name, kept[name].sub(grads[name].mul(learningRate))]))]
  })
  let weights = Object.fromEntries(names.map((name) => [name, np.array(problem.inputs[name].data).reshape(problem.inputs[name].shape)]))
  const before = names.map((name) => problem.inputs[name].data)
  let loss = 0
  return {
    async run() {
      const [value, next] = step(weights, images.ref, targets.ref)
      weights = next
      loss = (await value.data())[0]
    },
    wait: async () => { await blockUntilReady(weights) },
    read: async () => [Float32Array.of(loss), ...before, ...(await Promise.all(names.map((name) => weights[name].ref.data())))],
  }
}
