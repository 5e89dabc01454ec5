import type { Transport, TransportHandlers } from '@vesper-gpu/wire';

/** A transport whose other side is the test. */
export class ScriptedTransport implements Transport {
  handlers!: TransportHandlers;
  readonly sent: Uint8Array[] = [];
  /** What `send` answers: whether there is room for more. */
  hasRoom = true;
  pauses = 0;
  resumes = 0;
  closes = 0;

  start(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.sent.push(bytes);
    return this.hasRoom;
  }
  pause(): void {
    this.pauses++;
  }
  resume(): void {
    this.resumes++;
  }
  close(): void {
    this.closes++;
  }
}
