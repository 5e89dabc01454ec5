// onnxruntime-web on its WebGPU execution provider: a small convolutional net, its model made here as ONNX bytes.
import * as ort from 'onnxruntime-web/webgpu';
import { numbers, random, report } from './report.mjs';

// The few protobuf shapes of ONNX that the model needs: a field is a varint or length-delimited bytes.
const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]);
const int = (field, value) => [...varint(field * 8), ...varint(value)];
const bytes = (field, value) => [...varint(field * 8 + 2), ...varint(value.length), ...value];
const text = (field, value) => bytes(field, new TextEncoder().encode(value));
const all = (field, values, one) => values.flatMap((value) => one(field, value));
const FLOAT = 1;
const INT64 = 7;
const INTS = 7;
const attribute = ([name, values]) => [...text(1, name), ...all(8, values, int), ...int(20, INTS)];
const node = (type, inputs, output, attributes = {}) => [
  ...all(1, inputs, text),
  ...text(2, output),
  ...text(3, output),
  ...text(4, type),
  ...all(5, Object.entries(attributes).map(attribute), bytes),
];
const value = (name, dims) => {
  const shape = all(
    1,
    dims.map((dim) => int(1, dim)),
    bytes,
  );
  return [...text(1, name), ...bytes(2, bytes(1, [...int(1, FLOAT), ...bytes(2, shape)]))];
};
const initializer = (name, dims, type, data) => [
  ...all(1, dims, int),
  ...int(2, type),
  ...text(8, name),
  ...bytes(9, new Uint8Array(data.buffer)),
];

const next = random(5);
const weights = (count) => Float32Array.from({ length: count }, () => (next() - 0.5) * 0.6);
const graph = [
  ...all(
    1,
    [
      node('Conv', ['image', 'w1', 'b1'], 'c1', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }),
      node('Relu', ['c1'], 'r1'),
      node('Conv', ['r1', 'w2'], 'c2', { kernel_shape: [1, 1] }),
      node('Sigmoid', ['c2'], 'gate'),
      node('Mul', ['c2', 'gate'], 'swish'),
      node('MaxPool', ['swish'], 'pooled', { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Reshape', ['pooled', 'flat'], 'rows'),
      node('MatMul', ['rows', 'w3'], 'dense'),
      node('Add', ['dense', 'b3'], 'logits'),
      node('Softmax', ['logits'], 'probabilities'),
    ],
    bytes,
  ),
  ...text(2, 'net'),
  ...all(
    5,
    [
      initializer('w1', [8, 3, 3, 3], FLOAT, weights(216)),
      initializer('b1', [8], FLOAT, weights(8)),
      initializer('w2', [16, 8, 1, 1], FLOAT, weights(128)),
      initializer('flat', [2], INT64, BigInt64Array.of(1n, 1024n)),
      initializer('w3', [1024, 10], FLOAT, weights(10240)),
      initializer('b3', [10], FLOAT, weights(10)),
    ],
    bytes,
  ),
  ...bytes(11, value('image', [1, 3, 32, 32])),
  ...all(12, [value('probabilities', [1, 10]), value('pooled', [1, 16, 8, 8])], bytes),
];
const model = Uint8Array.from([...int(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ''), ...int(2, 17)])]);

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
const session = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'] });
const runs = [];
for (let run = 0; run < 3; run++) {
  const image = new ort.Tensor('float32', Float32Array.from({ length: 3072 }, next), [1, 3, 32, 32]);
  const { probabilities, pooled } = await session.run({ image });
  runs.push({ probabilities: Array.from(probabilities.data), pooled: numbers(pooled.data, 4) });
}
report({ library: `onnxruntime-web ${ort.env.versions.web}`, inputs: session.inputNames, runs });
