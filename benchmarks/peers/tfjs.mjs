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
  return { name: 'tfjs', version: tf.version_core, ...host, prepare: async (workload) => (workload.kind === 'trainStep' ? training(tf, workload) : forward(tf, sync, workload)) }
}

function uploads(tf, { inputs, kind }) {
  const nchw = kind === 'conv3x3' || kind === 'trainStep' || kind === 'groupNormSilu'
  return Object.fromEntries(Object.entries(inputs).map(([name, { shape, data }]) => {
    const t = tf.tensor(data, shape)
    if (!nchw || shape.length !== 4) return [name, t]
    const filter = name === 'w' || name.startsWith('conv')
    return [name, tf.transpose(t, filter ? [2, 3, 1, 0] : [0, 2, 3, 1])]
  }))
}

function forward(tf, sync, workload) {
  const t = uploads(tf, workload)
  const repeat = (x, next) => {
    for (let i = 0; i < workload.repeats; i++) x = next(x)
    return x
  }
  const compute = {
    matmul: () => tf.matMul(t.a, t.b),
    conv3x3: () => tf.conv2d(t.x, t.w, 1, 1),
    attention: () => tf.matMul(tf.softmax(tf.mul(tf.matMul(t.q, t.k, false, true), 1 / Math.sqrt(40))), t.v),
    groupNormSilu: () => {
      const groups = t.x.reshape([1, 32, 32, 32, 10])
      const { mean, variance } = tf.moments(groups, [1, 2, 4], true)
      const scaled = groups.sub(mean).mul(tf.rsqrt(variance.add(1e-5))).reshape(t.x.shape).mul(t.weight).add(t.bias)
      return scaled.mul(tf.sigmoid(scaled))
    },
    add: () => tf.add(t.a, t.b),
    addChain: () => repeat(t.x, (x) => tf.add(x, t.b)),
    matmulChain: () => repeat(t.x, (x) => tf.matMul(x, t.r)),
  }[workload.kind]
  let result
  return {
    async run() {
      result?.dispose()
      result = tf.tidy(compute)
      await sync()
    },
    read: async () => [await (result.shape.length === 4 && workload.kind !== 'attention' ? tf.transpose(result, [0, 3, 1, 2]) : result).data()],
  }
}

function training(tf, workload) {
  const t = uploads(tf, workload)
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
    read: async () => [Float32Array.of(loss), ...before, ...(await weights())],
  }
}
