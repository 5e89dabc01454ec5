/**
 * Control groups of the kernel, one an executor, of which each can be made to run only when nobody else wants to: an idle
 * group is interrupted at once, where a process of the highest nice value goes on for some milliseconds.
 * cpu.idle: https://docs.kernel.org/admin-guide/cgroup-v2.html, and the same file in version 1. Linux ≥ 5.15.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PREFIX = 'vesper-';

/** The groups of one broker. */
export class ProcessorGroups {
  readonly #folder: string;
  #count = 0;
  /** Groups that had processes when they were to go. */
  readonly #leaving = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns undefined where this process may make none. What dead brokers left behind is removed. */
  static open(): ProcessorGroups | undefined {
    for (const folder of folders()) {
      const groups = new ProcessorGroups(folder);
      const trial = groups.add([]);
      if (trial?.setIdle(true) === true) {
        groups.remove(trial);
        groups.#removeStale();
        return groups;
      }
      if (trial !== undefined) groups.remove(trial);
    }
    return undefined;
  }

  /** A group of those processes, and of all that they start; undefined where the kernel does not take that. */
  add(processes: readonly number[]): ProcessorGroup | undefined {
    const path = join(this.#folder, `${PREFIX}${process.pid}-${++this.#count}`);
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

  /** Ends what is left in it; a group that the kernel still holds goes with a later one. */
  remove(group: ProcessorGroup): void {
    group.kill();
    this.#leaving.add(group.path);
    for (const path of this.#leaving) if (removed(path)) this.#leaving.delete(path);
  }

  #removeStale(): void {
    for (const name of readdirSync(this.#folder)) {
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
    const type = join(this.path, 'cgroup.type');
    return !existsSync(type) || readFileSync(type, 'utf8').trim() === 'domain';
  }

  /** Moves processes here. @returns whether they are, or are gone */
  take(processes: readonly number[]): boolean {
    return processes.every((pid) => tryWrite(join(this.path, 'cgroup.procs'), String(pid)) || !isAlive(pid));
  }

  kill(): void {
    try {
      for (const pid of readFileSync(join(this.path, 'cgroup.procs'), 'utf8').split('\n')) {
        if (pid !== '') process.kill(Number(pid), 'SIGKILL');
      }
    } catch {
      // It ended meanwhile, or the group is gone.
    }
  }

  /** Whether it runs only when nobody else wants to. @returns whether the kernel took that */
  setIdle(isIdle: boolean): boolean {
    return tryWrite(join(this.path, 'cpu.idle'), isIdle ? '1' : '0');
  }
}

/** Where groups may be possible: below this process's own; or beside it, where that is a part of what systemd delegated. */
function folders(): string[] {
  try {
    const own = readFileSync('/proc/self/cgroup', 'utf8').trimEnd().split('\n');
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n').map(mountOf);
    return own.flatMap((line) => {
      // hierarchy:controllers:path; version 2 has no controllers. (cgroups(7))
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line)!;
      const isSecond = controllers === '';
      if (!isSecond && !controllers!.split(',').includes('cpu')) return [];
      const mount = mounts.find(({ type, options }) =>
        isSecond ? type === 'cgroup2' : type === 'cgroup' && options.includes('cpu'),
      );
      if (mount === undefined || !path!.startsWith(mount.root)) return [];
      const folder = join(mount.point, path!.slice(mount.root === '/' ? 0 : mount.root.length));
      if (!isSecond) return [folder];
      const above = dirname(folder);
      return [folder, ...(/\.(service|scope)$/.test(basename(above)) ? [above] : [])].filter(handsOutProcessors);
    });
  } catch {
    return [];
  }
}

/** A line of /proc/PID/mountinfo. (proc(5)) */
function mountOf(line: string): { root: string; point: string; type: string; options: string[] } {
  const [before, after] = line.split(' - ');
  const [, , , root, point] = before!.split(' ');
  const [type, , options] = after!.split(' ');
  return { root: root!, point: point!, type: type!, options: options!.split(',') };
}

/** In version 2, whether the groups below share processors as this one says; otherwise they have no cpu.idle. */
function handsOutProcessors(folder: string): boolean {
  return tryWrite(join(folder, 'cgroup.subtree_control'), '+cpu');
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
