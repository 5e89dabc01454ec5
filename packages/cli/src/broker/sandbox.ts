/**
 * What an executor's process may not do, apart from what its environment and working folder keep from it. The operating
 * system's own tools drop it, in front of the program: bubblewrap where namespaces are to be had, else setpriv. Each
 * is tried with the real executor before a guest comes, as containers and distributions refuse different things.
 */
import { accessSync, constants, existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';

/** One way to start executors. */
export interface Sandbox {
  /** Command and arguments in front of the program; empty: none. */
  readonly wrapper: readonly string[];
  /** What an executor has no more, in words. */
  readonly dropped: readonly string[];
  /** What could not be dropped this way, and why. */
  readonly missed: readonly string[];
  /** Whether the wrapper stays the parent of the program, and ends with its status. */
  readonly isParent: boolean;
}

/** Of what an executor needs, whatever else is hidden. */
export interface SandboxNeeds {
  /** The program. */
  readonly file: string;
  /** All of its environment: a driver's files are named there. */
  readonly environment: Readonly<Record<string, string>>;
  /** Character devices that lead to guests. */
  readonly devices: readonly string[];
}

/** Programs that are looked for. */
export interface Tools {
  readonly sh?: string;
  readonly bwrap?: string;
  readonly setpriv?: string;
  readonly taskset?: string;
}

const NO_CORE = 'core dumps';
const NO_CAPABILITIES = 'capabilities, new privileges';
const NAMESPACES = 'network, other processes, IPC';
const READ_ONLY = 'writing to files';
const HIDDEN = 'the files of users, temporary files, sockets of services';

/** Folders that hold what is nobody's business: secrets of users, sockets of services (which no namespace closes). */
const PRIVATE_FOLDERS = ['/home', '/root', '/run', '/tmp', '/var/tmp'];
/** Parts of these that hold drivers, on NixOS. */
const DRIVER_FOLDERS = ['/run/opengl-driver', '/run/opengl-driver-32', '/run/current-system'];
/** Variables that name what is the user's, not a driver's. */
const PERSONAL = /^(?:HOME|TMPDIR|TMP|TEMP|XAUTHORITY|XDG_.*)$/;
/** Where kernels put GPUs: by name of the entry of /dev. */
const GPU_DEVICES = /^(?:dri|kfd|dxg|mali\d*|nvhost.*|nvmap|nvidia.*)$/;

/** Looks for the tools in `path`, which has the form of the variable PATH, and where they are by custom. */
export function findTools(path: string | undefined): Tools {
  if (process.platform !== 'linux') return {};
  const folders = [...(path ?? '').split(delimiter), '/usr/bin', '/bin'];
  const found: Partial<Record<keyof Tools, string>> = {};
  for (const name of ['sh', 'bwrap', 'setpriv', 'taskset'] as const) {
    const file = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (file !== undefined && file.startsWith('/')) found[name] = file;
  }
  return found;
}

/** The ways to start executors with these tools, strictest first; the last one drops nothing and needs nothing. */
export function sandboxes(tools: Tools, needs: SandboxNeeds): Sandbox[] {
  const { sh, bwrap, setpriv } = tools;
  const all: Sandbox[] = [];
  if (sh === undefined) return [nothing('this system has none of the tools for it')];
  const noCore = [sh, '-c', 'ulimit -c 0 && exec "$0" "$@"'];
  if (bwrap !== undefined) {
    const dropped = [NO_CORE, NO_CAPABILITIES, NAMESPACES, READ_ONLY];
    all.push(
      {
        wrapper: [...noCore, bwrap, ...bubblewrap(needs, true)],
        dropped: [...dropped, HIDDEN],
        missed: [],
        isParent: true,
      },
      {
        wrapper: [...noCore, bwrap, ...bubblewrap(needs, false)],
        dropped,
        missed: [`${HIDDEN}: the executor did not start without them`],
        isParent: true,
      },
    );
  }
  const whyNoNamespaces = bwrap === undefined ? 'bubblewrap (bwrap) is not installed' : 'bwrap did not work here';
  const missed = [NAMESPACES, READ_ONLY, HIDDEN].map((what) => `${what}: ${whyNoNamespaces}`);
  if (setpriv !== undefined) {
    const drop = ['--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
    all.push(
      {
        wrapper: [...noCore, setpriv, ...drop, '--bounding-set=-all'],
        dropped: [NO_CORE, NO_CAPABILITIES],
        missed,
        isParent: false,
      },
      // Only a privileged process can empty the set, and only for one does it matter.
      { wrapper: [...noCore, setpriv, ...drop], dropped: [NO_CORE, 'new privileges'], missed, isParent: false },
    );
  }
  const whyNoPrivileges = setpriv === undefined ? 'setpriv (util-linux) is not installed' : 'setpriv did not work here';
  all.push(
    {
      wrapper: noCore,
      dropped: [NO_CORE],
      missed: [`${NO_CAPABILITIES}: ${whyNoPrivileges}`, ...missed],
      isParent: false,
    },
    nothing('the executor did not start without them'),
  );
  return all;
}

function nothing(why: string): Sandbox {
  const all = [NO_CORE, NO_CAPABILITIES, NAMESPACES, READ_ONLY, HIDDEN];
  return { wrapper: [], dropped: [], missed: all.map((what) => `${what}: ${why}`), isParent: false };
}

function bubblewrap(needs: SandboxNeeds, hides: boolean): string[] {
  const namespaces = ['--unshare-ipc', '--unshare-net', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'];
  const args = ['--die-with-parent', ...namespaces, '--cap-drop', 'ALL', '--ro-bind', '/', '/', '--proc', '/proc'];
  args.push('--dev', '/dev');
  for (const name of readdirSync('/dev')) {
    if (GPU_DEVICES.test(name)) args.push('--dev-bind-try', `/dev/${name}`, `/dev/${name}`);
  }
  const hidden = (hides ? PRIVATE_FOLDERS : ['/tmp']).filter(isFolder);
  for (const folder of hidden) args.push('--tmpfs', folder);
  for (const path of needed(needs, hidden)) args.push('--ro-bind-try', path, path);
  // A virtual machine's port; `ro-bind` would make a plain file of it.
  for (const path of needs.devices) args.push('--dev-bind-try', path, path);
  return [...args, '--chdir', '/', '--'];
}

/** What of the hidden folders an executor needs. */
function needed({ file, environment }: SandboxNeeds, hidden: readonly string[]): string[] {
  const found = new Set<string>();
  // Packages lie anywhere around the program: with links, so that only the whole of its folder's top is sure to do.
  for (const path of [process.execPath, file, realpath(file)]) {
    const folder = hidden.find((folder) => path.startsWith(folder + sep));
    if (folder === undefined) continue;
    const [first, second] = path.slice(folder.length + 1).split(sep);
    // /home/NAME is a user's all; /root is one by itself.
    found.add(folder === '/home' && second !== undefined ? join(folder, first!, second) : join(folder, first!));
  }
  const named = Object.entries(environment).flatMap(([name, value]) =>
    PERSONAL.test(name) ? [] : value.split(delimiter),
  );
  for (const path of [...named, ...DRIVER_FOLDERS]) {
    if (!hidden.some((folder) => path.startsWith(folder + sep)) || !existsSync(path)) continue;
    found.add(path);
    // A manifest of a driver names a library beside it.
    if (!isFolder(path) && !hidden.includes(dirname(path))) found.add(dirname(path));
  }
  return [...found];
}

function isFolder(path: string): boolean {
  try {
    // A link, such as /var/run, leads to a folder that is hidden by its own name.
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
