import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { inspect } from './doctor.ts';
import { chooseDriver } from './driver.ts';
import { probe } from './probe.ts';
import { findIcdFiles, hasVulkanLoader, icdFolders } from './system.ts';

const run = promisify(execFile);
const swiftShaderRuns = process.platform === 'linux' && process.arch === 'x64';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vesper-test-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('chooseDriver on this machine', () => {
  it('opens an adapter and says why it is this one', async () => {
    const choice = await chooseDriver();
    expect(choice.reason.join('\n')).toMatch(/opened ".+", which computes in (hardware|software, on the CPU)\./);
  });
});

describe.runIf(swiftShaderRuns)('SwiftShader', () => {
  const forced = { ...process.env, VESPER_DRIVER: 'swiftshader' };

  it('opens an adapter in a child process, with features and limits', async () => {
    const report = await inspect(forced);
    expect(report.driver).toMatchObject({ kind: 'swiftshader', adapter: { architecture: 'swiftshader' } });
    expect(report.driver.adapter.isFallbackAdapter).toBe(true);
    expect(report.features).toContain('core-features-and-limits');
    expect(report.limits['maxBufferSize']).toBeGreaterThanOrEqual(256 * 1024 * 1024);
    expect(report.webgpuVersion).toBe('0.6.2');
  });

  it('computes in a process with the chosen environment, and survives garbage collections', async () => {
    const { environment } = await chooseDriver(forced);
    const script = `
      import { dawnGlobals, openGPU } from ${JSON.stringify(import.meta.resolve('./gpu.ts'))};
      const adapter = await openGPU().requestAdapter();
      const device = await adapter.requestDevice();
      const { GPUBufferUsage, GPUMapMode, GPUDevice } = dawnGlobals;
      const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
      for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 1)); }
      device.queue.writeBuffer(buffer, 0, new Uint32Array([42]));
      await buffer.mapAsync(GPUMapMode.READ);
      console.log(new Uint32Array(buffer.getMappedRange())[0], device instanceof GPUDevice);`;
    const { stdout } = await run(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', script],
      { env: { ...process.env, ...environment } },
    );
    expect(stdout).toBe('42 true\n');
  });

  it('takes over from a driver that the user named and that does not exist, on the record', async () => {
    const choice = await chooseDriver({
      ...process.env,
      VESPER_DRIVER: 'auto',
      VK_DRIVER_FILES: join(root, 'none.json'),
    });
    expect(choice.kind).toBe('swiftshader');
    expect(choice.reason.join('\n')).toContain(`VK_DRIVER_FILES=${join(root, 'none.json')} cannot be used`);
  });
});

describe('probe', () => {
  it('reports a hang instead of waiting for it', async () => {
    const result = await probe(process.env, 1); // no process starts in a millisecond
    expect(result).toEqual({ error: 'the driver did not answer within 0.001 s' });
  });

  it.runIf(process.platform === 'linux')("reports the driver's own words", async () => {
    const result = await probe({ ...process.env, VK_DRIVER_FILES: '/nonexistent.json', VK_ICD_FILENAMES: '' });
    expect(result).toMatchObject({ error: expect.stringMatching(/^requestAdapter\(\) found no adapter \(.+\)$/) });
  });
});

describe('system', () => {
  it('looks where the Vulkan loader looks', () => {
    const folders = icdFolders({ HOME: '/h', XDG_DATA_DIRS: '/data1:/data2', XDG_CONFIG_HOME: '' });
    expect(folders.slice(0, 6)).toEqual(
      ['/h/.config', '/etc/xdg', '/usr/local/etc', '/etc', '/h/.local/share', '/data1'].map((folder) =>
        join(folder, 'vulkan', 'icd.d'),
      ),
    );
    expect(icdFolders({})).toContain('/usr/share/vulkan/icd.d');
  });

  it('tells software drivers from hardware by name and by library', () => {
    const folders = [join(root, 'a'), join(root, 'b'), join(root, 'missing')];
    for (const folder of folders.slice(0, 2)) mkdirSync(folder);
    writeFileSync(join(root, 'a', 'nvidia_icd.json'), '{"ICD":{"library_path":"libGLX_nvidia.so.0"}}');
    writeFileSync(join(root, 'a', 'readme.txt'), '');
    writeFileSync(join(root, 'b', 'nvidia_icd.json'), '{}');
    writeFileSync(join(root, 'b', 'cpu.json'), '{"ICD":{"library_path":"libvulkan_lvp.so"}}');
    writeFileSync(join(root, 'b', 'broken.json'), '{');
    expect(findIcdFiles(folders)).toEqual([
      { path: join(root, 'a', 'nvidia_icd.json'), software: false },
      { path: join(root, 'b', 'broken.json'), software: false },
      { path: join(root, 'b', 'cpu.json'), software: true },
    ]);
  });

  it('finds a loader in LD_LIBRARY_PATH', () => {
    writeFileSync(join(root, 'libvulkan.so.1'), '');
    expect(hasVulkanLoader({ LD_LIBRARY_PATH: `/nonexistent:${root}` })).toBe(true);
  });
});
