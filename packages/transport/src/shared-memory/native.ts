/**
 * The calls of the system that shared memory between processes needs and node has not: memory without a file, maps of
 * it, and descriptors that travel over a socket. koffi makes them; it is loaded when an address asks for it.
 */
import { closeSync, fstatSync } from 'node:fs';
import { ConnectionError } from '@vesper-gpu/wire';
import type * as Koffi from 'koffi';

/** Numbers of Linux; those of other systems differ. */
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_DUPFD_CLOEXEC = 1030;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const EAGAIN = 11;

/** A cmsghdr of a 64-bit system, and one descriptor behind it, padded. */
const CONTROL_BYTES = 24;
const CONTROL_LENGTH = 20;

/** What came over a socket. */
export type Received =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'end' }
  /** A byte, and the descriptor that travelled beside it: the receiver's to close. */
  | { readonly kind: 'byte'; readonly byte: number; readonly descriptor: number | undefined };

/** See the functions. */
export interface Native {
  /** Makes zeroed memory of a size that nobody can change. @returns its descriptor */
  createMemory(byteLength: number): number;
  /**
   * Maps memory, for as long as anything refers to it.
   * @throws ConnectionError when somebody could change its size: then reading it could end this process
   */
  map(descriptor: number): ArrayBuffer;
  /** Sends a byte with a descriptor beside it. */
  send(socket: number, byte: number, descriptor: number): void;
  /**
   * Calls `readable` when there is something to read, with a function that takes one byte off the socket, and what
   * travels beside it; it does not wait.
   * @returns a function that ends this
   */
  watch(socket: number, readable: (receive: () => Received) => void): () => void;
}

let loading: Promise<Native> | undefined;

/**
 * Loads it, once.
 * @param address what needs it, for the message
 * @throws ConnectionError when this system, or this installation, has it not
 */
export async function loadNative(address: string): Promise<Native> {
  loading ??= load();
  try {
    return await loading;
  } catch (error) {
    throw new ConnectionError(
      `${address} needs ${(error as Error).message}; use unix: instead of shm: where that is not to be had`,
      { cause: error },
    );
  }
}

async function load(): Promise<Native> {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Error(`Linux on x64 or arm64, and this is ${process.platform} on ${process.arch}`);
  }
  let koffi: typeof Koffi;
  try {
    koffi = await import('koffi');
  } catch (error) {
    throw new Error('the optional npm package koffi, which is not installed or does not load here', { cause: error });
  }
  return bind(koffi);
}

function bind(koffi: typeof Koffi): Native {
  // The C library that node itself runs on.
  const c = koffi.load(null);
  const iovec = koffi.struct({ base: 'void *', length: 'size_t' });
  const header = koffi.struct({
    name: 'void *',
    nameLength: 'uint32_t',
    vector: koffi.pointer(iovec),
    vectorLength: 'size_t',
    control: 'void *',
    controlLength: 'size_t',
    flags: 'int',
  });
  const pointerToHeader = koffi.pointer(header);
  const memfdCreate = c.func('memfd_create', 'int', ['str', 'uint']);
  const ftruncate = c.func('ftruncate', 'int', ['int', 'int64_t']);
  const fcntl = c.func('fcntl', 'int', ['int', 'int', '...']);
  const mmap = c.func('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'int64_t']);
  const munmap = c.func('munmap', 'int', ['void *', 'size_t']);
  const sendmsg = c.func('sendmsg', 'int64_t', ['int', pointerToHeader, 'int']);
  const recvmsg = c.func('recvmsg', 'int64_t', ['int', pointerToHeader, 'int']);

  // Not before: a view that somebody kept would lead to what is not there, and such a buffer cannot be detached.
  const maps = new FinalizationRegistry<{ address: bigint; byteLength: number }>(
    ({ address, byteLength }) => void munmap(address, byteLength),
  );
  const check = (result: number, call: string): number => {
    if (result < 0) throw new Error(`${call} failed with error ${koffi.errno()} of the system`);
    return result;
  };
  const message = (byte: Uint8Array, control: Uint8Array): object => ({
    name: null,
    nameLength: 0,
    vector: [{ base: byte, length: byte.byteLength }],
    vectorLength: 1,
    control,
    controlLength: control.byteLength,
    flags: 0,
  });

  const receive = (socket: number): Received => {
    const byte = new Uint8Array(1);
    const control = new DataView(new ArrayBuffer(CONTROL_BYTES));
    const into = message(byte, new Uint8Array(control.buffer));
    const count = recvmsg(socket, into, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) as number;
    if (count < 0 && koffi.errno() === EAGAIN) return { kind: 'nothing' };
    // A reset is an end too.
    if (count <= 0) return { kind: 'end' };
    const hasDescriptor = Number(control.getBigUint64(0, true)) === CONTROL_LENGTH;
    return { kind: 'byte', byte: byte[0]!, descriptor: hasDescriptor ? control.getInt32(16, true) : undefined };
  };

  return {
    createMemory(byteLength) {
      const descriptor = check(memfdCreate('vesper', MFD_CLOEXEC | MFD_ALLOW_SEALING) as number, 'memfd_create');
      try {
        check(ftruncate(descriptor, byteLength) as number, 'ftruncate');
        const seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
        check(fcntl(descriptor, F_ADD_SEALS, 'int', seals) as number, 'fcntl(F_ADD_SEALS)');
        return descriptor;
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
    },
    map(descriptor) {
      const seals = fcntl(descriptor, F_GET_SEALS, 'int', 0) as number;
      if (seals < 0 || (seals & F_SEAL_SHRINK) === 0) {
        throw new ConnectionError('the other side sent memory that it could take away again');
      }
      const byteLength = fstatSync(descriptor).size;
      const address = mmap(null, byteLength, PROT_READ_WRITE, MAP_SHARED, descriptor, 0) as bigint;
      if (address === -1n) throw new Error(`mmap failed with error ${koffi.errno()} of the system`);
      const memory = koffi.view(address, byteLength);
      maps.register(memory, { address, byteLength });
      return memory;
    },
    send(socket, byte, descriptor) {
      const control = new DataView(new ArrayBuffer(CONTROL_BYTES));
      control.setBigUint64(0, BigInt(CONTROL_LENGTH), true);
      control.setInt32(8, SOL_SOCKET, true);
      control.setInt32(12, SCM_RIGHTS, true);
      control.setInt32(16, descriptor, true);
      const sent = message(Uint8Array.of(byte), new Uint8Array(control.buffer));
      check(sendmsg(socket, sent, MSG_DONTWAIT | MSG_NOSIGNAL) as number, 'sendmsg');
    },
    watch(socket, readable) {
      // A descriptor of its own: libuv watches the socket's.
      const own = check(fcntl(socket, F_DUPFD_CLOEXEC, 'int', 0) as number, 'fcntl(F_DUPFD_CLOEXEC)');
      const handle = koffi.node.poll(own, { readable: true, disconnect: true }, () => readable(() => receive(own)));
      return () => {
        handle.close();
        closeSync(own);
      };
    },
  };
}
