import { browserLike } from './host.mjs'

const learningRate = 0.05
const names = ['conv1', 'conv2', 'conv3', 'dense']

/** TensorFlow.js on its WebGPU backend. It computes in NHWC, so images and filters are uploaded in that order. */
export async function open() {
  const host = await browserLike()
  const tf = await import('@tensorflow/tfjs')
  await import('@tensorflow/tfjs-backend-webgpu')
  // Small tensors would be computed by JavaScript, which is not what is measured here.
  tf.env().set('WEBGPU_CPU_FORWARD', false)
  await tf.setBackend('webgpu')
  await tf.ready()
  const backend = tf.backend()
  // There is no public call that waits for the GPU without reading a result.
  const sync = async () => {
    if (backend.commandEncoder) {
      backend.endComputePassEncoder()
      backend.submitQueue()
    }
    await backend.device.queue.onSubmittedWorkDone()
  }
  return { name: 'tfjs', version: tf.version_core, ...host, prepare: async (problem) => (problem.kind === 'trainStep' ? training(tf, sync, problem) : forward(tf, sync, problem)) }
}

function uploads(tf, { inputs, kind }) {
  const nchw = kind.startsWith('conv3x3') || kind === 'trainStep' || kind === 'groupNormSilu'
  return Object.fromEntries(Object.entries(inputs).map(([name, { shape, data }]) => {
    const t = tf.tensor(data, shape)
    if (!nchw || shape.length !== 4) return [name, t]
    const filter = name === 'w' || name.startsWith('conv')
    return [name, tf.transpose(t, filter ? [2, 3, 1, 0] : [0, 2, 3, 1])]
  }))
}

function forward(tf, sync, problem) {
  const { kind } = problem
  const compute = computation(tf, uploads(tf, problem), problem)
  // Results in the order and layout of the others.
  const back = { conv3x3: [0, 3, 1, 2], conv3x3Input: [0, 3, 1, 2], groupNormSilu: [0, 3, 1, 2], conv3x3Weight: [3, 2, 0, 1] }[kind]
  let results = []
  return {
    async run() {
      tf.dispose(results)
      const made = tf.tidy(compute)
      results = Array.isArray(made) ? made : [made]
    },
    wait: sync,
    read: () => Promise.all(results.map((result) => (back ? tf.transpose(result, back) : result).data())),
  }
}

/** How each operation is written with this library. */
function computation(tf, t, { kind, inputs, repeats = 1 }) {
  const gelu = (x) => x.mul(0.5).mul(tf.erf(x.mul(Math.SQRT1_2)).add(1))
  const gate = (x) => {
    const [a, b] = tf.split(x, 2, -1)
    return a.mul(gelu(b))
  }
  const attention = (q, k, v) => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(40))), v)
  const repeat = (x, next) => {
    for (let i = 0; i < repeats; i++) x = next(x)
    return x
  }
  // What its own gradient of a convolution calls, without the forward pass that `tf.grad` would run as well.
  const gradient = { strides: 1, pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined }
  const nhwc = ([b, c, h, w]) => [b, h, w, c]
  return {
    matmul: () => tf.matMul(t.a, t.b),
    conv3x3: () => tf.conv2d(t.x, t.w, 1, 1),
    conv3x3Input: () => tf.engine().runKernel('Conv2DBackpropInput', { dy: t.g, filter: t.w }, { ...gradient, inputShape: nhwc(inputs.g.shape) }),
    conv3x3Weight: () => tf.engine().runKernel('Conv2DBackpropFilter', { x: t.x, dy: t.g }, { ...gradient, filterShape: [3, 3, inputs.x.shape[1], inputs.g.shape[1]] }),
    attention: () => attention(t.q, t.k, t.v),
    attentionGrad: () => tf.grads(attention)([t.q, t.k, t.v], t.g),
    groupNormSilu: () => {
      const groups = t.x.reshape([1, 32, 32, 32, 10])
      const { mean, variance } = tf.moments(groups, [1, 2, 4], true)
      const scaled = groups.sub(mean).mul(tf.rsqrt(variance.add(1e-5))).reshape(t.x.shape).mul(t.weight).add(t.bias)
      return scaled.mul(tf.sigmoid(scaled))
    },
    geglu: () => gate(t.x),
    feedForward: () => tf.matMul(gate(tf.matMul(t.x, t.w1, false, true).add(t.b1)), t.w2, false, true).add(t.b2),
    add: () => tf.add(t.a, t.b),
    addChain: () => repeat(t.x, (x) => tf.add(x, t.b)),
    matmulChain: () => repeat(t.x, (x) => tf.matMul(x, t.r)),
  }[kind]
}

function training(tf, sync, problem) {
  const t = uploads(tf, problem)
  const variables = names.map((name) => tf.variable(t[name]))
  const [conv1, conv2, conv3, dense] = variables
  const optimizer = tf.train.sgd(learningRate)
  const targets = tf.oneHot(tf.cast(t.labels, 'int32'), 10)
  // Weights as the other libraries have them: filters first, features in NCHW order (the dense layer is fed such).
  const weights = () => Promise.all(variables.map((v, i) => (i < 3 ? tf.transpose(v, [3, 2, 0, 1]) : v).data()))
  let before
  let loss = 0
  return {
    async run() {
      before ??= await weights()
      const value = optimizer.minimize(() => {
        let x = tf.relu(tf.conv2d(t.images, conv1, 1, 1))
        x = tf.relu(tf.conv2d(x, conv2, 2, 1))
        x = tf.relu(tf.conv2d(x, conv3, 2, 1))
        const logits = tf.matMul(tf.transpose(x, [0, 3, 1, 2]).reshape([32, 1568]), dense, false, true)
        return tf.losses.softmaxCrossEntropy(targets, logits)
      }, true)
      loss = (await value.data())[0]
      value.dispose()
    },
    wait: sync,
    read: async () => [Float32Array.of(loss), ...before, ...(await weights())],
  }
}
