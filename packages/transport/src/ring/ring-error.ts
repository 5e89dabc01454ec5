import { ProtocolError } from '@vesper-gpu/wire';

/** The other side broke the rules of a ring: its counters cannot be true. The connection ends. */
export class RingError extends ProtocolError {
  constructor(detail: string) {
    super('bad-ring', detail);
  }
}
