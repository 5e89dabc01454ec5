import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Stream } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ConnectionError, type Transport, type TransportHandlers } from '@vesper-gpu/wire';
import { socketTransport } from './socket.ts';

/** Beside `src` and `dist` alike, and JavaScript, so that it runs as it is. */
const PROGRAM = fileURLToPath(new URL('../pump/device-pump.mjs', import.meta.url));

/** Longest message of the pump that is passed on, in bytes. */
const MAX_MESSAGE_BYTES = 1000;

/**
 * A transport over an open file that can only be read by blocking, through a process that does nothing else.
 * @param file a descriptor, or a stream that has one; the caller may close it once this returns.
 * @param address what the file is called in messages.
 * @param connectTimeoutMs how long, in milliseconds, the end of the file before its first byte means "not yet".
 */
export function pumpTransport(file: number | Stream, address: string, connectTimeoutMs: number): Transport {
  return new PumpTransport(startPump(file, connectTimeoutMs, 'host'), address);
}

/**
 * The same for the guest's end of a port, whose session begins when the host has answered: until then, what the port
 * still holds of an earlier one is dropped. See "Ports" in the README.
 * @throws ConnectionError when no host answers within `connectTimeoutMs`
 */
export async function guestPumpTransport(
  file: number | Stream,
  address: string,
  connectTimeoutMs: number,
): Promise<Transport> {
  const child = startPump(file, connectTimeoutMs, 'guest');
  const transport = new PumpTransport(child, address);
  await transport.opened();
  return transport;
}

function startPump(file: number | Stream, connectTimeoutMs: number, end: 'guest' | 'host'): ChildProcess {
  return spawn(process.execPath, [PROGRAM, String(connectTimeoutMs), end], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', file],
    // A signal to this process's group must not end the connection before this process has reacted to it.
    detached: true,
    env: pumpEnvironment(),
  });
}

/** Options meant for the program (a module to register, an inspector) must not reach its helper. */
function pumpEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, VESPER_ADDRESS: __, ...environment } = process.env;
  return { ...environment, ELECTRON_RUN_AS_NODE: '1' };
}

class PumpTransport implements Transport {
  readonly #pipe: Socket;
  readonly #socket: Transport;
  readonly #child: ChildProcess;
  readonly #address: string;
  readonly #exited: Promise<void>;
  #complaint = '';
  #closing = false;

  constructor(child: ChildProcess, address: string) {
    this.#address = address;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#complaint ||= `its helper process did not start: ${error.message}`;
        resolve();
      });
      child.stderr?.on('close', () => resolve());
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(0, MAX_MESSAGE_BYTES);
    });
    const socket = child.stdio[3];
    if (!(socket instanceof Socket)) throw new Error('a pipe to a child process is a socket');
    this.#pipe = socket;
    this.#socket = socketTransport(socket);
  }

  /** Takes the byte off the stream by which the helper says that the session has begun. */
  async opened(): Promise<void> {
    const pipe = this.#pipe;
    const isOpen = await new Promise<boolean>((resolve) => {
      const look = (): void => {
        if (pipe.read(1) !== null) settle(true);
      };
      const ended = (): void => settle(false);
      const settle = (isOpen: boolean): void => {
        pipe.off('readable', look).off('end', ended).off('close', ended);
        resolve(isOpen);
      };
      pipe.on('readable', look).on('end', ended).on('close', ended);
    });
    if (isOpen) return;
    await this.#exited;
    throw new ConnectionError(
      `cannot begin a session at ${this.#address}: ${this.#complaint || 'its helper process ended'}; the other side of ` +
        'the port has to lead to a socket that `vesper serve --listen unix:PATH` listens at, and to come back when that ' +
        'is closed (in QEMU: -chardev socket,path=PATH,reconnect=1)',
    );
  }

  start(handlers: TransportHandlers): void {
    this.#socket.start({
      bytes: (chunk) => handlers.bytes(chunk),
      room: () => handlers.room?.(),
      sent: (bytes) => handlers.sent?.(bytes),
      drained: () => handlers.drained?.(),
      // The reason may be on its way still.
      closed: (error) => void this.#exited.then(() => setImmediate(() => handlers.closed(this.#reason(error)))),
    });
  }

  #reason(error: Error | undefined): Error | undefined {
    if (this.#closing) return undefined;
    return this.#complaint === ''
      ? error
      : new ConnectionError(`the connection to ${this.#address} broke: ${this.#complaint}`);
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    return this.#socket.send(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ref(): void {
    this.#child.ref();
    this.#socket.ref?.();
  }

  unref(): void {
    this.#child.unref();
    const messages = this.#child.stderr;
    if (messages instanceof Socket) messages.unref();
    this.#socket.unref?.();
  }

  close(): void {
    this.#closing = true;
    this.#socket.close();
  }
}
