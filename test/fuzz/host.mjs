import { DEFAULT_POLICY } from '../../packages/host/dist/policy/defaults.js';
import { HostConnection } from '../../packages/host/dist/host-connection.js';

/** Small limits, so that they are met. */
const LIMITS = { maxFrameBytes: 1 << 20, maxStringBytes: 1 << 12, maxBulkBytes: 1 << 16, maxObjects: 256 };

const transport = { start() {}, send: () => true, pause() {}, resume() {}, close() {} };

function wordOf(owner) {
  const stem = owner.replace(/^(GPU|Vesper)/, '').replace(/Mixin$/, '');
  return stem === '' ? 'gpu' : stem.charAt(0).toLowerCase() + stem.slice(1);
}

/** A device of no backend: decoding is what is tested. */
function emptyDevice(id) {
  const device = { destroy() {} };
  return {
    id,
    device,
    objectCount: 0,
    isLost: false,
    scopes: { report: () => true },
    invalid: { make: () => ({}), poison() {} },
    substitute: () => ({}),
  };
}

let idle;

/** Handlers of every command that do nothing: requests are never answered. */
function idleHandlers(schema) {
  const handlers = {};
  for (const command of schema.commands) {
    const [owner, member] = command.name.split('.');
    const group = (handlers[wordOf(owner)] ??= {});
    group[member] = command.class === 'request' ? () => new Promise(() => {}) : () => ({});
  }
  return handlers;
}

/** The host's decoder, object table and bulk data, with handlers that do nothing. */
export function openHost(schema) {
  const faults = [];
  const connection = new HostConnection(transport, LIMITS, (error) => faults.push(error), undefined);
  idle ??= idleHandlers(schema);
  const handlers = { ...idle, stream: { ...idle.stream }, gpu: { ...idle.gpu }, adapter: { ...idle.adapter } };
  const numbers = new Map(schema.interfaces.map((one) => [one.name, one.number]));
  handlers.stream.selectEncoder = (id) => connection.selectEncoder(id);
  handlers.stream.release = (ids) => connection.release(ids);
  // At once, so that nothing has to be waited for.
  handlers.gpu.requestAdapter = (id) => {
    connection.fulfil(id, numbers.get('GPUAdapter'), {});
    return new Promise(() => {});
  };
  handlers.adapter.requestDevice = (_target, device, queue) => {
    const state = emptyDevice(device);
    connection.fulfil(device, numbers.get('GPUDevice'), state.device, state);
    connection.fulfil(queue, numbers.get('GPUQueue'), {}, state);
    return new Promise(() => {});
  };
  connection.execute(handlers, { policy: DEFAULT_POLICY });
  return { connection, faults };
}
