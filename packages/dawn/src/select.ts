import { DriverError } from './errors.ts';
import type { AdapterReport, ProbeReport, ProbeResult } from './probe.ts';
import { driverVariables, type Environment, type IcdFile } from './system.ts';

/**
 * Where the driver comes from: `user` is named by the user's VK_* variables, `system` is installed on this machine,
 * `native` is the backend of macOS or Windows, `swiftshader` is our software driver.
 */
export type DriverKind = 'user' | 'system' | 'native' | 'swiftshader';

/** The driver that the host shall use. An adapter and a device were opened with it. */
export interface DriverChoice {
  /** Where the driver comes from. */
  readonly kind: DriverKind;
  /** One sentence for each candidate that was considered, in order; the last is the chosen one. */
  readonly reason: readonly string[];
  /** Variables to set on the host process when it is started, over those given to chooseDriver(). May be empty. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it opened. */
  readonly adapter: AdapterReport;
}

/** The outside world, as the selection sees it; replaced in tests. */
export interface DriverTools {
  readonly platform: string;
  readonly icdFolders: readonly string[];
  findIcdFiles(folders: readonly string[]): readonly IcdFile[];
  hasVulkanLoader(): boolean;
  /** Opens an adapter in a process with exactly these variables. */
  probe(environment: Environment): Promise<ProbeResult>;
  /** SwiftShader's folder and manifest, or in one sentence why there is none. */
  swiftShader(): Promise<SwiftShaderFiles | string>;
}

export interface SwiftShaderFiles {
  readonly directory: string;
  readonly icdFile: string;
}

/** Chosen driver and the full report of the probe that verified it. */
export interface Selection {
  readonly choice: DriverChoice;
  readonly report: ProbeReport;
}

/**
 * Tries the candidates in order until one opens an adapter. Nothing is skipped in silence: each adds its sentence.
 *
 * @throws DriverError DRIVER_NONE, DRIVER_BAD_SETTING
 */
export async function selectDriver(environment: Environment, tools: DriverTools): Promise<Selection> {
  const setting = environment['VESPER_DRIVER'] || 'auto';
  if (setting !== 'auto' && setting !== 'system' && setting !== 'swiftshader') {
    throw new DriverError(
      'DRIVER_BAD_SETTING',
      `VESPER_DRIVER is "${setting}", which is no known setting.`,
      [],
      ['Set VESPER_DRIVER to auto, system or swiftshader, or leave it out.'],
    );
  }
  const attempt = new Attempt(environment, tools);
  if (setting !== 'auto') attempt.steps.push(`VESPER_DRIVER=${setting} limits the choice.`);

  let selection: Selection | undefined;
  if (setting !== 'swiftshader') {
    selection = tools.platform === 'linux' ? await attempt.linuxDriver() : await attempt.nativeDriver();
  }
  if (setting !== 'system') selection ??= await attempt.softwareDriver();
  if (selection !== undefined) return selection;
  throw new DriverError('DRIVER_NONE', 'No GPU driver works on this machine.', attempt.steps, advice(setting, tools));
}

/** One run of the selection: the sentences so far, and the ways to a driver. */
class Attempt {
  readonly steps: string[] = [];
  readonly #environment: Environment;
  readonly #tools: DriverTools;

  constructor(environment: Environment, tools: DriverTools) {
    this.#environment = environment;
    this.#tools = tools;
  }

  nativeDriver(): Promise<Selection | undefined> {
    return this.#open('native', `The native backend of ${this.#tools.platform}`, {});
  }

  /** What the user named, and only that; else what is installed. */
  async linuxDriver(): Promise<Selection | undefined> {
    const named = driverVariables.filter((name) => this.#environment[name]);
    const loader = await this.#loader();
    if (named.length > 0) {
      const value = named.map((name) => `${name}=${this.#environment[name]}`).join(' ');
      return this.#open('user', `The driver set by ${value}`, loader);
    }
    const { icdFolders } = this.#tools;
    const files = this.#tools.findIcdFiles(icdFolders);
    if (files.length === 0) {
      this.steps.push(`No Vulkan driver is installed: there is no manifest in ${icdFolders.join(', ')}.`);
      return undefined;
    }
    const only = (chosen: readonly IcdFile[]) => {
      const list = chosen.map((file) => file.path).join(':');
      return { ...loader, VK_DRIVER_FILES: list, VK_ICD_FILENAMES: list }; // the second for loaders before 1.3.207
    };
    // A foreign loader was built for other folders, so it is told. The system's own needs nothing set, and then a guest's
    // forceFallbackAdapter still finds an installed software driver beside the GPU.
    const everything = Object.keys(loader).length === 0 ? {} : only(files);
    const selection = await this.#open('system', `The installed Vulkan drivers (${names(files)})`, everything);
    const hardware = files.filter((file) => !file.software);
    if (hardware.length === 0 || hardware.length === files.length) return selection;
    if (selection !== undefined && !selection.choice.adapter.isFallbackAdapter) return selection;
    // Together they failed or gave software. A software driver that breaks the others must not cost the user the GPU.
    const alone = await this.#open('system', `The hardware drivers alone (${names(hardware)})`, only(hardware));
    if (alone !== undefined) return alone;
    if (selection === undefined) return undefined;
    // Keeps the promise that the chosen one has the last word.
    this.steps.push('So the software driver of the system is used.');
    return { ...selection, choice: { ...selection.choice, reason: [...this.steps] } };
  }

  async softwareDriver(): Promise<Selection | undefined> {
    const files = await this.#tools.swiftShader();
    if (typeof files === 'string') {
      this.steps.push(`SwiftShader cannot be used: ${files}`);
      return undefined;
    }
    return this.#open('swiftshader', 'SwiftShader, the software driver of @vesper-gpu/swiftshader,', {
      LD_LIBRARY_PATH: joinPaths(files.directory, this.#environment['LD_LIBRARY_PATH']),
      VK_DRIVER_FILES: files.icdFile,
    });
  }

  /** Variables that bring a Vulkan loader where the system has none: SwiftShader's serves every driver. */
  async #loader(): Promise<Record<string, string>> {
    if (this.#tools.hasVulkanLoader()) return {};
    const hasDriver =
      driverVariables.some((name) => this.#environment[name]) ||
      this.#tools.findIcdFiles(this.#tools.icdFolders).length > 0;
    if (!hasDriver) return {};
    const files = await this.#tools.swiftShader();
    if (typeof files === 'string') {
      this.steps.push(`The Vulkan loader (libvulkan.so.1) was not found, and SwiftShader's cannot be used: ${files}`);
      return {};
    }
    this.steps.push('The Vulkan loader (libvulkan.so.1) was not found, so the one of @vesper-gpu/swiftshader is used.');
    // Behind what is there: only what is missing is to be added.
    return { LD_LIBRARY_PATH: joinPaths(this.#environment['LD_LIBRARY_PATH'], files.directory) };
  }

  async #open(
    kind: DriverKind,
    subject: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<Selection | undefined> {
    const result = await this.#tools.probe({ ...this.#environment, ...environment });
    if ('error' in result) {
      this.steps.push(`${subject} cannot be used: ${result.error}.`);
      return undefined;
    }
    const { adapter } = result.report;
    const where = adapter.isFallbackAdapter ? 'in software, on the CPU' : 'in hardware';
    this.steps.push(`${subject} opened "${adapterName(adapter)}", which computes ${where}.`);
    return { choice: { kind, reason: [...this.steps], environment, adapter }, report: result.report };
  }
}

/** The adapter's best name for people. */
export function adapterName(adapter: AdapterReport): string {
  return adapter.description || adapter.device || adapter.architecture || adapter.vendor || 'an adapter without a name';
}

function names(files: readonly IcdFile[]): string {
  return files.map((file) => file.path).join(', ');
}

/** Joins lists of folders, leaving out empty ones: an empty entry would mean the working folder. */
function joinPaths(...lists: readonly (string | undefined)[]): string {
  return lists.filter(Boolean).join(':');
}

function advice(setting: string, tools: DriverTools): string[] {
  if (tools.platform !== 'linux') return ['Update the graphics driver of this system, and run outside of a sandbox.'];
  return [
    "With a GPU: install its Vulkan driver (package mesa-vulkan-drivers, or the vendor's) and a loader (package libvulkan1), " +
      'and give this user access to the devices in /dev/dri.',
    setting === 'system'
      ? 'Without one: leave VESPER_DRIVER out, so that the software driver may be used.'
      : 'Without one, on x64: npm install @vesper-gpu/swiftshader, a software driver that needs no root.',
  ];
}
