import type { DoctorReport } from '@vesper-gpu/dawn';
import { inspect } from '@vesper-gpu/dawn/doctor';
import { PROTOCOL } from '@vesper-gpu/protocol';
import { WIRE_VERSION } from '@vesper-gpu/wire';
import { driverEnvironment, type DriverSetting } from '../broker/environment.ts';
import { failureText } from './failure.ts';

/**
 * `vesper doctor`: says on stdout what a host on this machine would run on, and why.
 * @returns the exit status: 1 when there is no driver, with advice
 */
export async function doctor({ json = false, driver }: { json?: boolean; driver?: DriverSetting }): Promise<number> {
  const protocol = { ...PROTOCOL, wireVersion: WIRE_VERSION };
  try {
    const report = await inspect(driverEnvironment(process.env, driver));
    console.log(json ? JSON.stringify({ ok: true, ...report, protocol }, undefined, 2) : describe(report));
    return 0;
  } catch (error) {
    const message = failureText(error);
    if (json) console.log(JSON.stringify({ ok: false, error: message, protocol }, undefined, 2));
    else console.error(message);
    return 1;
  }
}

function describe(report: DoctorReport): string {
  const { adapter, driver } = report;
  const kinds = {
    user: 'named by the environment',
    system: 'installed on this system',
    native: 'native to this platform',
    swiftshader: 'SwiftShader of @vesper-gpu/swiftshader',
  };
  const rows: [string, string][] = [
    ['adapter', adapter.description || adapter.device || adapter.architecture],
    ['vendor', [adapter.vendor, adapter.architecture].filter(Boolean).join(', ')],
    ['computes', adapter.isFallbackAdapter ? 'in software, on the CPU' : 'in hardware'],
    ['driver', kinds[driver.kind]],
    ['backend', `Dawn for Node, webgpu ${report.webgpuVersion}`],
    ['machine', `${report.platform}, node ${report.nodeVersion}`],
    ['wire version', String(WIRE_VERSION)],
    ['schema', `revision ${PROTOCOL.schemaRevision}, hash ${PROTOCOL.schemaHash}`],
    ['made from', PROTOCOL.idlRevision],
    ['canvas format', report.preferredCanvasFormat],
  ];
  return [
    ...columns(rows),
    '',
    'Why this driver',
    ...driver.reason.map((sentence) => `  - ${sentence}`),
    ...Object.entries(driver.environment).map(([name, value]) => `  ${name}=${value}`),
    '',
    'Features',
    ...wrapped(report.features),
    '',
    'WGSL language features',
    ...wrapped(report.wgslLanguageFeatures),
    '',
    'Limits',
    ...columns(Object.entries(report.limits).map(([name, value]) => [name, String(value)])).map((row) => `  ${row}`),
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

/** Names in lines of at most 100 characters. */
function wrapped(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names.length === 0 ? ['(none)'] : names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length < 98) lines[lines.length - 1] = `${last}, ${name}`;
    else lines.push(`  ${name}`);
  }
  return lines;
}
