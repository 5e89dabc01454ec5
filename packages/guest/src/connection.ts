import {
  ENCODER_STATE_LENGTH,
  decodeEvent,
  decodeVesperFailure,
  decodeVesperCapability,
  encodeStreamAttenuate,
  encodeStreamRelease,
  encodeStreamSelectEncoder,
  type api,
  type EventHandlers,
} from '@vesper-gpu/protocol/guest';
import {
  CommandStream,
  ConnectionError,
  DEFAULT_LIMITS,
  ProtocolError,
  type HostHello,
  type SessionEndReason,
  type Transport,
} from '@vesper-gpu/wire';
import type { ConnectOptions } from './connect.ts';
import { detach } from './detach.ts';
import type { Device } from './device.ts';
import type { DeviceLoss } from './device-loss.ts';
import { RequestFailure } from './errors.ts';
import { Root } from './gpu.ts';

/** So many times as long as the last collection took, there is no other. */
const COLLECTION_PAUSE = 20;

/** One guest's connection: its stream, and where the host's events go. */
export class Connection implements EventHandlers {
  readonly stream: CommandStream;
  readonly root: Root;
  /** Resolves once the connection has ended. */
  readonly ended: Promise<void>;
  /** Devices by id. A device that nobody holds can be collected; who awaits its loss is told all the same. */
  readonly #devices = new Map<number, { device: WeakRef<Device>; loss: DeviceLoss }>();
  /** Why the host ended the session, if it said so. */
  #endedBy: Error | undefined;

  readonly #options: ConnectOptions;
  #nextCollectionMs = 0;

  constructor(transport: Transport, host: HostHello, options: ConnectOptions) {
    this.#options = options;
    this.stream = new CommandStream(
      transport,
      {
        encoderStateLength: options.sendsRepeated ? 0 : ENCODER_STATE_LENGTH,
        encodeRelease: encodeStreamRelease,
        encodeSelectEncoder: encodeStreamSelectEncoder,
        decodeFailure: (reader) => new RequestFailure(decodeVesperFailure(reader)),
        decodeEvent: (reader) => decodeEvent(reader, this),
      },
      host,
      DEFAULT_LIMITS,
    );
    this.root = new Root(this.stream, this);
    this.ended = new Promise((resolve) => {
      this.stream.onClosed = (error) => {
        for (const { loss } of this.#devices.values())
          loss.lose('unknown', `the connection to the host ended: ${(this.#endedBy ?? error).message}`);
        this.#devices.clear();
        resolve();
      };
    });
  }

  /** @param role in JSON. */
  async attenuate(role: string): Promise<string> {
    const { stream } = this;
    try {
      const { token } = await stream.request(decodeVesperCapability, (request) =>
        encodeStreamAttenuate(stream.writer, request, role),
      );
      return token;
    } catch (error) {
      if (error instanceof RequestFailure) throw error.toException('the host refused');
      throw error;
    }
  }

  /** Takes a mapped range away from the program. */
  detach(buffer: ArrayBuffer): void {
    this.stream.reuse(detach(buffer));
    this.#options.markAsUntransferable?.(buffer);
  }

  addDevice(device: Device): void {
    if (this.stream.closedBy === undefined)
      this.#devices.set(device.id, { device: new WeakRef(device), loss: device.loss });
    else device.loss.lose('unknown', `the connection to the host ended: ${this.stream.closedBy.message}`);
  }

  /** The transport's end; what the host said before it says more. */
  closed(error?: Error): void {
    this.stream.closed(this.#endedBy ?? error);
  }

  /** A program with a large heap has others to do: it is a twentieth of its time at most, however often the host asks. */
  streamCollect(): void {
    const { collectGarbage } = this.#options;
    const startedMs = performance.now();
    if (collectGarbage === undefined || startedMs < this.#nextCollectionMs) return;
    collectGarbage();
    const endedMs = performance.now();
    this.#nextCollectionMs = endedMs + COLLECTION_PAUSE * (endedMs - startedMs);
  }

  streamEnded(reason: string, detail: string, offset: number, opcode: number): void {
    const known = reason as SessionEndReason;
    // The first reason is the one: what a host's broker says comes behind what its executor said.
    this.#endedBy ??=
      known === 'watchdog' || known === 'fault'
        ? new ConnectionError(detail)
        : new ProtocolError(known, detail, offset, opcode);
  }

  deviceLost(target: number, reason: api.GPUDeviceLostReason, message: string): void {
    this.#devices.get(target)?.loss.lose(reason, message);
    this.#devices.delete(target);
  }

  deviceOnuncapturederror(target: number, type: api.GPUErrorFilter, message: string): void {
    this.#devices.get(target)?.device.deref()?.uncaptured(type, message);
  }
}
