// TensorFlow.js on its WebGPU backend: matmul, convolutions, softmax, a loss and its gradients, training steps.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';
import { numbers, random, report } from './report.mjs';

if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js refused the WebGPU backend');
await tf.ready();

const next = random(11);
const tensor = (shape) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => next() - 0.5),
    shape,
  );
const result = { library: `tfjs ${tf.version_core}`, backend: tf.getBackend() };

const product = tf.matMul(tensor([96, 128]), tensor([128, 80]));
result.matmul = numbers(await product.data());

const convolved = tf.tidy(() => {
  const image = tensor([1, 32, 32, 3]);
  const first = tf.relu(tf.conv2d(image, tensor([3, 3, 3, 16]), 2, 'same'));
  const deep = tf.relu6(tf.depthwiseConv2d(first, tensor([3, 3, 16, 1]), 1, 'same'));
  const pooled = tf.maxPool(deep, 2, 2, 'valid');
  return tf.concat([tf.mean(pooled, [1, 2]), tf.max(pooled, [1, 2])], 1);
});
result.convolution = numbers(await convolved.data());

const [probabilities, order] = tf.tidy(() => {
  const logits = tf.mul(tensor([8, 50]), 6);
  return [tf.softmax(logits), tf.topk(logits, 5).indices];
});
result.softmax = numbers(await probabilities.data());
result.topk = Array.from(await order.data());

const resized = tf.tidy(() => tf.cumsum(tf.transpose(tf.image.resizeBilinear(tensor([1, 9, 7, 3]), [20, 31])), 3));
result.resize = numbers(await resized.data());
result.gathered = numbers(await tf.gather(tf.reshape(tf.range(0, 40, 1, 'int32'), [10, 4]), [7, 1, 9, 1]).data());

// A net of two layers learns the parity of two bits. The core package has no gradients of its own: written out here.
const inputs = tf.tensor2d([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]);
const labels = tf.tensor2d([0, 1, 1, 0], [4, 1]);
const [w1, b1, w2, b2] = [tf.mul(tensor([2, 8]), 3), tf.zeros([8]), tf.mul(tensor([8, 1]), 3), tf.zeros([1])].map(
  (value) => tf.variable(value),
);
const losses = [];
for (let step = 0; step < 60; step++) {
  const loss = tf.tidy(() => {
    const hidden = tf.tanh(tf.add(tf.matMul(inputs, w1), b1));
    const predicted = tf.sigmoid(tf.add(tf.matMul(hidden, w2), b2));
    const outer = tf.sub(predicted, labels);
    const inner = tf.mul(tf.matMul(outer, w2, false, true), tf.sub(1, tf.square(hidden)));
    const learn = (weight, gradient) => weight.assign(tf.sub(weight, tf.mul(gradient, 0.5)));
    learn(w2, tf.matMul(hidden, outer, true));
    learn(b2, tf.sum(outer, 0));
    learn(w1, tf.matMul(inputs, inner, true));
    learn(b1, tf.sum(inner, 0));
    return tf.losses.logLoss(labels, predicted);
  });
  if (step % 20 === 0 || step === 59) losses.push((await loss.data())[0]);
  loss.dispose();
}
result.losses = losses;
const { numTensors } = tf.memory();
report({ ...result, numTensors });
