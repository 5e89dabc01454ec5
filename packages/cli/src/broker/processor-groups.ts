/**
 * Control groups of the kernel, one an executor, of which each can be made to run only when nobody else wants to: an idle
 * group is interrupted at once, where a process of the highest nice value goes on for some milliseconds.
 * cpu.idle: https://docs.kernel.org/admin-guide/cgroup-v2.html, and the same file in version 1. Linux ≥ 5.15.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PREFIX = 'vesper-';
const SUBTREE = 'cgroup.subtree_control';

/** How often, in milliseconds, it is tried again to remove groups in which something was left. */
const RETRY_MS = 1000;

/** Groups of this process so far. */
let count = 0;

/** The groups of one broker. */
export class ProcessorGroups {
  readonly #folder: string;
  /** Groups that had processes when they were to go. */
  readonly #leaving = new Set<ProcessorGroup>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns undefined where this process may make none. What dead brokers left behind is removed. */
  static open(): ProcessorGroups | undefined {
    for (const { folder, isSecond } of folders()) {
      const hadProcessors = !isSecond || handsOutProcessors(folder);
      if (!hadProcessors && !tryWrite(join(folder, SUBTREE), '+cpu')) continue;
      const groups = new ProcessorGroups(folder);
      const trial = groups.add([]);
      const works = trial?.setIdle(true) === true;
      if (trial !== undefined) groups.remove(trial);
      if (works) {
        groups.#removeStale();
        return groups;
      }
      if (!hadProcessors) tryWrite(join(folder, SUBTREE), '-cpu');
    }
    return undefined;
  }

  /** A group of those processes, and of all that they start; undefined where the kernel does not take that. */
  add(processes: readonly number[]): ProcessorGroup | undefined {
    const path = join(this.#folder, `${PREFIX}${process.pid}-${++count}`);
    try {
      mkdirSync(path);
    } catch {
      return undefined;
    }
    const group = new ProcessorGroup(path);
    if (group.isForProcesses && group.take(processes)) return group;
    removed(path);
    return undefined;
  }

  /** Ends what is left in it, until there is nothing and it is gone. */
  remove(group: ProcessorGroup): void {
    this.#leaving.add(group);
    this.#sweep();
  }

  #sweep(): void {
    clearTimeout(this.#timer);
    for (const group of this.#leaving) {
      group.kill();
      if (removed(group.path)) this.#leaving.delete(group);
    }
    if (this.#leaving.size > 0) this.#timer = setTimeout(() => this.#sweep(), RETRY_MS).unref();
  }

  #removeStale(): void {
    for (const name of tryReadFolder(this.#folder)) {
      const pid = /^vesper-(\d+)-\d+$/.exec(name)?.[1];
      // The kernel keeps those in which something runs.
      if (pid !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))) removed(join(this.#folder, name));
    }
  }
}

/** A control group. */
export class ProcessorGroup {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Version 2 has groups that take no processes, below one that has some itself. */
  get isForProcesses(): boolean {
    return (tryRead(join(this.path, 'cgroup.type')) ?? 'domain').trim() === 'domain';
  }

  /** Moves processes here. @returns whether they are, or are gone */
  take(processes: readonly number[]): boolean {
    return processes.every((pid) => tryWrite(join(this.path, 'cgroup.procs'), String(pid)) || !isAlive(pid));
  }

  /** Ends what is in it; what is started meanwhile is there the next time. */
  kill(): void {
    // Version 2 ends all at once. https://docs.kernel.org/admin-guide/cgroup-v2.html
    if (tryWrite(join(this.path, 'cgroup.kill'), '1')) return;
    for (const line of (tryRead(join(this.path, 'cgroup.procs')) ?? '').split('\n')) {
      const pid = Number(line);
      // 0 is one of which this process's namespace knows nothing, and would be this process's own group.
      if (pid > 0) tryKill(pid);
    }
  }

  /** Whether it runs only when nobody else wants to. @returns whether the kernel took that */
  setIdle(isIdle: boolean): boolean {
    return tryWrite(join(this.path, 'cpu.idle'), isIdle ? '1' : '0');
  }
}

/** Where groups may be possible. */
interface Candidate {
  readonly folder: string;
  /** Of version 2. */
  readonly isSecond: boolean;
}

/** Below this process's own group; or beside it, where that is a part of what systemd delegated. */
function folders(): Candidate[] {
  const own = (tryRead('/proc/self/cgroup') ?? '').trimEnd().split('\n');
  const mounts = (tryRead('/proc/self/mountinfo') ?? '').trimEnd().split('\n').flatMap(mountOf);
  return own.flatMap((line) => {
    // hierarchy:controllers:path; version 2 has no controllers. (cgroups(7))
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isSecond = controllers === '';
    if (!isSecond && !controllers.split(',').includes('cpu')) return [];
    const mount = mounts.find(({ type, options }) =>
      isSecond ? type === 'cgroup2' : type === 'cgroup' && options.includes('cpu'),
    );
    if (mount === undefined || path === '' || !path.startsWith(mount.root)) return [];
    const folder = join(mount.point, path.slice(mount.root === '/' ? 0 : mount.root.length));
    const above = dirname(folder);
    const isDelegated = isSecond && /\.(service|scope)$/.test(basename(above));
    return [folder, ...(isDelegated ? [above] : [])].map((one) => ({ folder: one, isSecond }));
  });
}

/** A line of /proc/PID/mountinfo. (proc(5)) */
function mountOf(line: string): { root: string; point: string; type: string; options: string[] }[] {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root, point] = before.split(' ');
  const [type, , options] = after.split(' ');
  if (root === undefined || point === undefined || type === undefined || options === undefined) return [];
  return [{ root, point, type, options: options.split(',') }];
}

/** In version 2, whether the groups below share processors as this one says; otherwise they have no cpu.idle. */
function handsOutProcessors(folder: string): boolean {
  return (tryRead(join(folder, SUBTREE)) ?? '').trim().split(' ').includes('cpu');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function removed(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch {
    return false;
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function tryReadFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
