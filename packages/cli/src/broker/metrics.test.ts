import { request } from 'node:http';
import { connect } from 'node:net';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterwards, temporaryFolder } from '../../test/test-broker.ts';
import type { SessionUsage } from './messages.ts';
import { serveMetrics } from './metrics-server.ts';
import { Metrics } from './metrics.ts';

const usage = (times: number): SessionUsage => ({
  receivedBytes: 100 * times,
  sentBytes: 10 * times,
  commands: 5 * times,
  requests: times,
  objects: 3,
  gpuMemory: 1024,
  gpuMs: 500 * times,
  refusals: times,
});
const linesOf = (metrics: Metrics) => metrics.text().split('\n');

describe('metrics', () => {
  it('sum up sessions by role', () => {
    const metrics = new Metrics();
    for (const guest of [1, 2]) metrics.started(guest, 'display');
    metrics.started(3, 'a"b');
    for (const times of [1, 2]) for (const guest of [1, 2]) metrics.used(guest, 'display', usage(times));
    expect(linesOf(metrics)).toEqual(
      expect.arrayContaining([
        '# TYPE vesper_sessions gauge',
        'vesper_sessions{role="display"} 2',
        'vesper_sessions{role="a\\"b"} 1',
        'vesper_received_bytes_total{role="display"} 400',
        'vesper_received_bytes_total{role="a\\"b"} 0',
        'vesper_refusals_total{role="display"} 4',
        'vesper_gpu_seconds_total{role="display"} 2',
        'vesper_objects{role="display"} 6',
        'vesper_gpu_memory_bytes{role="display"} 2048',
      ]),
    );
    metrics.ended(1, 'display', 'protocol', undefined);
    metrics.ended(2, 'display', 'watchdog', { kind: 'frozen', limitMs: 5 });
    metrics.rejected();
    metrics.executorsReady(1);
    expect(linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'vesper_sessions{role="display"} 0',
        'vesper_sessions_started_total{role="display"} 2',
        'vesper_sessions_ended_total{role="display",reason="protocol"} 1',
        'vesper_sessions_ended_total{role="display",reason="watchdog"} 1',
        'vesper_protocol_violations_total{role="display"} 1',
        'vesper_executor_kills_total{role="display",reason="frozen"} 1',
        'vesper_received_bytes_total{role="display"} 400',
        'vesper_objects{role="display"} 0',
        'vesper_gpu_memory_bytes{role="display"} 0',
        'vesper_gpu_memory_peak_bytes{role="display"} 2048',
        'vesper_rejections_total 1',
        'vesper_executors_ready 1',
      ]),
    );
  });

  it('do not go down because an executor says so', () => {
    const metrics = new Metrics();
    metrics.started(1, 'a');
    metrics.used(1, 'a', usage(5));
    metrics.used(1, 'a', { ...usage(1), gpuMemory: Number.MAX_SAFE_INTEGER });
    metrics.used(9, 'a', usage(9));
    metrics.ended(1, 'a', 'crash', undefined);
    metrics.ended(1, 'a', 'crash', undefined);
    const lines = linesOf(metrics);
    expect(lines).toContain('vesper_commands_total{role="a"} 25');
    expect(lines).toContain('vesper_gpu_memory_bytes{role="a"} 0');
    expect(lines).toContain('vesper_sessions{role="a"} 0');
  });

  it('have the format of Prometheus', () => {
    const metrics = new Metrics();
    metrics.started(1, 'a');
    for (const line of linesOf(metrics).slice(0, -1)) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? [-+.e\d]+)$/,
      );
    }
    expect(metrics.text().endsWith('\n')).toBe(true);
  });
});

interface Answer {
  status: number | undefined;
  type: string | undefined;
  body: string;
}

function fetchFrom(socketPath: string, path = '/metrics', method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], body }));
    });
    sent.on('error', reject).end();
  });
}

describe('a server of metrics', () => {
  const start = async (text = () => 'x 1\n') => {
    const path = join(temporaryFolder(), 'metrics');
    const server = await serveMetrics(`unix:${path}`, text);
    afterwards(() => server.close());
    return { path, server };
  };

  it('answers its owner', async () => {
    const { path } = await start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await fetchFrom(path)).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: 'x 1\n',
    });
    expect(await fetchFrom(path, '/metrics?x=1', 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect(await fetchFrom(path, '/')).toMatchObject({ status: 404 });
    expect(await fetchFrom(path, '/metrics', 'POST')).toMatchObject({ status: 405 });
  });

  it('listens at a port', async () => {
    const server = await serveMetrics('tcp:127.0.0.1:0', () => 'y 2\n');
    afterwards(() => server.close());
    const response = await fetch(`http://${server.address.slice('tcp:'.length)}/metrics`);
    expect(await response.text()).toBe('y 2\n');
  });

  it('does not share memory', async () => {
    await expect(serveMetrics('shm:/nowhere/metrics', () => '')).rejects.toThrow(
      /at shm:\/nowhere\/metrics: give unix:/,
    );
  });

  it('outlives clients that are silent, many, or speak something else', async () => {
    const { path, server } = await start();
    const garbage = connect(path);
    garbage.on('error', () => {}).write('\0\x16\x03\x01 garbage\r\n\r\n');
    await new Promise((resolve) => garbage.once('close', resolve).resume());
    const silent = Array.from({ length: 15 }, () => connect(path).on('error', () => {}));
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    expect(await fetchFrom(path)).toMatchObject({ status: 200 });
    const closed = Promise.all(
      silent.map((socket) => new Promise((resolve) => socket.once('close', resolve).resume())),
    );
    await server.close();
    await closed;
  });
});
