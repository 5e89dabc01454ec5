import { describe, expect, it } from 'vitest';

import type { AdapterReport, ProbeResult } from './probe.ts';
import { type DriverTools, selectDriver } from './select.ts';
import type { Environment } from './system.ts';

const gpu = { path: '/icd.d/radeon_icd.json', software: false };
const lavapipe = { path: '/icd.d/lvp_icd.json', software: true };
const files = { directory: '/cache/ss', icdFile: '/cache/ss/icd.json' };
const software = { LD_LIBRARY_PATH: '/cache/ss', VK_DRIVER_FILES: '/cache/ss/icd.json' };
const nothing: ProbeResult = { error: 'requestAdapter() found no adapter' };

function found(description: string, isFallbackAdapter = false): ProbeResult {
  const names: Omit<AdapterReport, 'description' | 'isFallbackAdapter'> = {
    vendor: '',
    architecture: '',
    device: '',
    subgroupMinSize: 4,
    subgroupMaxSize: 4,
  };
  return {
    report: {
      adapter: { ...names, description, isFallbackAdapter },
      features: [],
      limits: {},
      wgslLanguageFeatures: [],
      preferredCanvasFormat: 'bgra8unorm',
      webgpuVersion: '0',
    },
  };
}

/** A machine; `probed` collects the variables of every probe. */
function machine(tools: Partial<DriverTools>, results: ProbeResult[]) {
  const probed: Environment[] = [];
  const complete: DriverTools = {
    platform: 'linux',
    icdFolders: ['/icd.d'],
    findIcdFiles: () => [],
    hasVulkanLoader: () => true,
    swiftShader: async () => files,
    probe: async (environment) => {
      probed.push(environment);
      return results[probed.length - 1] ?? nothing;
    },
    ...tools,
  };
  return { probed, tools: complete };
}

describe('selectDriver', () => {
  it('takes an installed driver, with one probe and nothing to set', async () => {
    const { probed, tools } = machine({ findIcdFiles: () => [gpu, lavapipe] }, [found('Radeon')]);
    const { choice } = await selectDriver({ HOME: '/h' }, tools);
    expect(choice).toMatchObject({ kind: 'system', environment: {}, adapter: { description: 'Radeon' } });
    expect(choice.reason).toEqual([
      'The installed Vulkan drivers (/icd.d/radeon_icd.json, /icd.d/lvp_icd.json) opened "Radeon", which computes in hardware.',
    ]);
    expect(probed).toEqual([{ HOME: '/h' }]);
  });

  it('prefers hardware, also when all drivers together give software', async () => {
    const { probed, tools } = machine({ findIcdFiles: () => [lavapipe, gpu] }, [
      found('llvmpipe', true),
      found('Radeon'),
    ]);
    const { choice } = await selectDriver({}, tools);
    expect(choice).toMatchObject({ kind: 'system', adapter: { description: 'Radeon' } });
    expect(choice.environment).toEqual({ VK_DRIVER_FILES: gpu.path, VK_ICD_FILENAMES: gpu.path });
    expect(probed).toHaveLength(2);
  });

  it("takes the system's software driver when its hardware drivers find no device, and says so", async () => {
    const { tools } = machine({ findIcdFiles: () => [lavapipe, gpu] }, [found('llvmpipe', true)]);
    const { choice } = await selectDriver({}, tools);
    expect(choice).toMatchObject({ kind: 'system', environment: {}, adapter: { description: 'llvmpipe' } });
    expect(choice.reason).toHaveLength(3);
    expect(choice.reason[1]).toContain('The hardware drivers alone (/icd.d/radeon_icd.json) cannot be used');
  });

  it('falls back to SwiftShader from an installed driver that is too old, and records it', async () => {
    const { probed, tools } = machine({ findIcdFiles: () => [lavapipe] }, [nothing, found('SwiftShader', true)]);
    const { choice } = await selectDriver({ LD_LIBRARY_PATH: '/opt' }, tools);
    expect(choice.kind).toBe('swiftshader');
    expect(choice.environment).toEqual({ ...software, LD_LIBRARY_PATH: '/cache/ss:/opt' });
    expect(choice.reason[0]).toContain('lvp_icd.json) cannot be used: requestAdapter() found no adapter.');
    expect(choice.reason[1]).toContain('in software, on the CPU');
    expect(probed[1]).toEqual(choice.environment);
  });

  it("lends SwiftShader's loader to an installed driver", async () => {
    const { tools } = machine({ findIcdFiles: () => [gpu], hasVulkanLoader: () => false }, [found('Radeon')]);
    const { choice } = await selectDriver({ LD_LIBRARY_PATH: '/opt' }, tools);
    expect(choice.kind).toBe('system');
    expect(choice.environment).toEqual({
      LD_LIBRARY_PATH: '/opt:/cache/ss',
      VK_DRIVER_FILES: gpu.path,
      VK_ICD_FILENAMES: gpu.path,
    });
    expect(choice.reason[0]).toContain('libvulkan.so.1) was not found');
  });

  it('uses what the user set as it is', async () => {
    const environment = { VK_ICD_FILENAMES: '/my/icd.json' };
    const { probed, tools } = machine({ findIcdFiles: () => [gpu] }, [found('Mine')]);
    const { choice } = await selectDriver(environment, tools);
    expect(choice).toMatchObject({ kind: 'user', environment: {} });
    expect(choice.reason[0]).toContain('VK_ICD_FILENAMES=/my/icd.json');
    expect(probed).toEqual([environment]);
  });

  it('uses the native backend elsewhere', async () => {
    const { tools } = machine({ platform: 'darwin', swiftShader: async () => 'Not here.' }, [found('Apple M1')]);
    expect((await selectDriver({}, tools)).choice).toMatchObject({ kind: 'native', environment: {} });
  });

  it('obeys VESPER_DRIVER', async () => {
    const forced = machine({ findIcdFiles: () => [gpu] }, [found('SwiftShader', true)]);
    const { choice } = await selectDriver({ VESPER_DRIVER: 'swiftshader' }, forced.tools);
    expect(choice).toMatchObject({ kind: 'swiftshader', environment: software });
    expect(choice.reason).toHaveLength(2);

    const system = machine({}, []);
    await expect(selectDriver({ VESPER_DRIVER: 'system' }, system.tools)).rejects.toMatchObject({
      code: 'DRIVER_NONE',
      advice: [expect.anything(), expect.stringContaining('leave VESPER_DRIVER out')],
    });
    expect(system.probed).toEqual([]);

    await expect(selectDriver({ VESPER_DRIVER: 'vulkan' }, system.tools)).rejects.toMatchObject({
      code: 'DRIVER_BAD_SETTING',
      message: expect.stringContaining('auto, system or swiftshader'),
    });
  });

  it('says what was tried and what to do when nothing works', async () => {
    const { tools } = machine({ findIcdFiles: () => [gpu], swiftShader: async () => 'It is not installed.' }, []);
    await expect(selectDriver({}, tools)).rejects.toMatchObject({
      name: 'DriverError',
      code: 'DRIVER_NONE',
      steps: [expect.stringContaining('radeon_icd.json'), 'SwiftShader cannot be used: It is not installed.'],
      message: expect.stringMatching(/Tried:\n.*\n.*\nWhat to do:\n.*\n.*npm install @vesper-gpu\/swiftshader/),
    });
  });
});
