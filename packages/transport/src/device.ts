import { close, constants, fstat, open } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { portTransport } from './port.ts';
import { guestPumpTransport, pumpTransport } from './pump.ts';

/** How a device is opened. */
export interface DeviceOptions {
  /**
   * How long, in milliseconds, to wait for the other side of the device; default 30,000. Until it is there, the end of
   * the device's data means "not yet".
   */
  connectTimeoutMs?: number;
  /** Which end of the port this is. The guest's, which is the default, begins the session. */
  end?: 'guest' | 'host';
}

/** How long, in milliseconds, a port may be in use still: an earlier session's helper process takes 5 s at most to end. */
const BUSY_MS = 6000;
const BUSY_RETRY_MS = 50;

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/**
 * A transport over a character device, or a FIFO, that carries bytes both ways as they are: a virtio-serial port
 * (`/dev/vport0p1`). A terminal has to be in raw mode. The stream ends when the host side of the port goes away.
 *
 * Such a device tells that it has data only to a read that blocks (Node polls sockets, pipes and terminals, nothing
 * else), and a read that blocks cannot be taken back: while one is pending in Node's thread pool, closing the file has
 * no effect, and `process.exit` waits for it forever. So the device is read and written by a process of its own
 * (`pump/device-pump.mjs`), which is joined to this one by a socket pair and dies with it; closing never hangs.
 * @throws ConnectionError, with one message that names the device and what to do about it.
 */
export async function deviceTransport(path: string, options: DeviceOptions = {}): Promise<Transport> {
  const address = `dev:${path}`;
  const { connectTimeoutMs = 30_000, end = 'guest' } = options;
  const file = await openDevice(path, address);
  try {
    if (end === 'host') return portTransport(pumpTransport(file, address, connectTimeoutMs), false);
    return await guestPumpTransport(file, address, connectTimeoutMs);
  } finally {
    // The pump has its own.
    await closeFile(file);
  }
}

async function openDevice(path: string, address: string): Promise<number> {
  let file: number;
  try {
    file = await openFree(path);
  } catch (error) {
    throw new ConnectionError(explain(address, error as NodeJS.ErrnoException), { cause: error });
  }
  const status = await statFile(file);
  if (status.isCharacterDevice() || status.isFIFO()) return file;
  await closeFile(file);
  throw new ConnectionError(`${address} is no character device: give a virtio-serial port, such as dev:/dev/vport0p1`);
}

/** A port takes one process at a time, and the helper of a program that was killed may still be ending. */
async function openFree(path: string): Promise<number> {
  const giveUpAt = performance.now() + BUSY_MS;
  for (;;) {
    try {
      // A terminal must not become this process's controlling one.
      return await openFile(path, constants.O_RDWR | constants.O_NOCTTY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || performance.now() > giveUpAt) throw error;
    }
    await sleep(BUSY_RETRY_MS);
  }
}

function explain(address: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENXIO':
    case 'ENODEV':
      return (
        `there is no device ${address}: give the virtual machine a virtio-serial port whose other side is a socket ` +
        'that `vesper serve --listen unix:PATH` listens at, and look for its device in /sys/class/virtio-ports'
      );
    case 'EACCES':
    case 'EPERM':
      return `no permission to open ${address}: run as root, or let a udev rule give your user access to the device`;
    case 'EBUSY':
      return `${address} is in use: another process has it open, and a port takes one at a time`;
    case 'EISDIR':
      return `${address} is no character device: give a virtio-serial port, such as dev:/dev/vport0p1`;
    default:
      return `cannot open ${address}: ${error.message}`;
  }
}
