import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import type { Environment } from './system.ts';

/**
 * What an adapter says of itself.
 *
 * @see https://www.w3.org/TR/webgpu/#gpuadapterinfo
 */
export interface AdapterReport {
  /** Normalised name of the vendor, such as `nvidia`; may be empty. */
  readonly vendor: string;
  /** Normalised name of the family, such as `ampere` or `swiftshader`; may be empty. */
  readonly architecture: string;
  /** Vendor's identifier of the device; may be empty. */
  readonly device: string;
  /** Name for people; may be empty. */
  readonly description: string;
  /** Whether it computes on the CPU. */
  readonly isFallbackAdapter: boolean;
  /** Smallest and largest number of invocations in a subgroup. */
  readonly subgroupMinSize: number;
  /** Largest subgroup, in invocations. */
  readonly subgroupMaxSize: number;
}

/** What a probe process found. */
export interface ProbeReport {
  /** The adapter that opened. */
  readonly adapter: AdapterReport;
  /** Names of the adapter's GPUFeatureName, sorted. */
  readonly features: readonly string[];
  /** The adapter's GPUSupportedLimits, in the units of the specification (bytes, counts). */
  readonly limits: Readonly<Record<string, number>>;
  /** GPU.wgslLanguageFeatures, sorted. */
  readonly wgslLanguageFeatures: readonly string[];
  /** GPU.getPreferredCanvasFormat(). */
  readonly preferredCanvasFormat: string;
  /** Version of the npm package webgpu. */
  readonly webgpuVersion: string;
}

/** Either a report, or in one clause why there is none. */
export type ProbeResult = { readonly report: ProbeReport } | { readonly error: string };

/** Initialising a driver may take seconds on a machine with many devices; beyond this it is taken to hang. */
const timeoutMs = 20_000;
const probeFile = fileURLToPath(new URL('../bin/probe.mjs', import.meta.url));

/**
 * Opens an adapter and a device in a short-lived child process (0.2 s with SwiftShader).
 *
 * @param environment the child's variables, all of them
 * @returns never rejects: a crash, a hang and a missing binary are results
 */
export function probe(environment: Environment, limitMs = timeoutMs): Promise<ProbeResult> {
  return new Promise((resolve) => {
    // NODE_OPTIONS may load modules that are meant for a guest, and would run them on the host's driver.
    const env = { ...environment, NODE_OPTIONS: undefined };
    const child = spawn(process.execPath, [probeFile], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    const pipe = (descriptor: 1 | 2 | 3) => child.stdio[descriptor] as Readable;
    const answer = collect(pipe(3));
    const messages = collect(pipe(2));
    pipe(1).resume();

    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve({ error: `the driver did not answer within ${limitMs / 1000} s` });
    }, limitMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ error: `the probe process could not be started: ${error.message}` });
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const text = answer();
      // The answer counts, not the exit status: some drivers crash in their exit handlers.
      if (text !== '') return resolve(withDriverMessage(JSON.parse(text) as ProbeResult, messages()));
      const end = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
      resolve(withDriverMessage({ error: `the probe process ${end}` }, messages()));
    });
  });
}

/** Text of a stream so far; bounded, as a driver may write without end. */
function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < 100_000) text += chunk;
  });
  return () => text;
}

/** Adds the first line that Dawn or the driver wrote, which is most often the reason. */
function withDriverMessage(result: ProbeResult, messages: string): ProbeResult {
  const line = messages
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text !== '' && !text.startsWith('at '));
  if ('report' in result || line === undefined) return result;
  return { error: `${result.error} (${line.slice(0, 300)})` };
}
