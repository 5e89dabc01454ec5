/** Why a peer's bytes were refused; stable, for programs. */
export type ProtocolErrorReason =
  | 'bad-magic'
  | 'wire-version'
  | 'bad-hello'
  | 'refused'
  | 'bad-frame'
  | 'frame-too-large'
  | 'bad-record'
  | 'unknown-record'
  | 'truncated'
  | 'trailing-bytes'
  | 'unknown-field'
  | 'bad-enum'
  | 'bad-boolean'
  | 'bad-union'
  | 'bad-string'
  | 'bad-object'
  | 'bad-id'
  | 'bad-bulk'
  /** Of memory that both sides write: the counters in it cannot be true. */
  | 'bad-ring'
  | 'bad-request'
  | 'limit'
  /** What the policy of the guest allows in all is spent. */
  | 'budget'
  /** Something did not get done in time. */
  | 'watchdog';

/**
 * Why a host ends a session by the event VesperStream.ended: a rule that the guest broke; or `watchdog`, work of the
 * guest exceeded a limit of the host; or `fault`, the host's process for this guest failed. The last two have no place
 * in the guest's bytes, and their text is for people.
 */
export type SessionEndReason = ProtocolErrorReason | 'watchdog' | 'fault';

/**
 * A peer sent bytes that no correct Vesper peer sends. Sticky: the session that saw it ends.
 * `offset` is in bytes from the start of the frame, `opcode` that of the record, or -1 outside of one.
 */
export class ProtocolError extends Error {
  /** Name of the class. */
  override readonly name = 'ProtocolError';
  /** For programs: stays the same. */
  readonly code = 'VESPER_PROTOCOL';
  /** Which rule was broken. */
  readonly reason: ProtocolErrorReason;
  /** In bytes from the start of the frame; -1 outside of one. */
  readonly offset: number;
  /** Of the record; -1 outside of one. */
  readonly opcode: number;
  /** The message without its place: `message` is `reason: detail (opcode, byte)`. */
  readonly detail: string;

  constructor(reason: ProtocolErrorReason, detail: string, offset = -1, opcode = -1) {
    const place = opcode >= 0 ? ` (opcode ${opcode}, byte ${offset})` : offset >= 0 ? ` (byte ${offset})` : '';
    super(`${reason}: ${detail}${place}`);
    this.reason = reason;
    this.detail = detail;
    this.offset = offset;
    this.opcode = opcode;
  }
}

/** A call has more to say than the other side takes in one record; nothing of it was sent, and the session goes on. */
export class RecordTooLargeError extends Error {
  /** Name of the class. */
  override readonly name = 'RecordTooLargeError';
  /** For programs: stays the same. */
  readonly code = 'VESPER_RECORD_TOO_LARGE';
}

/** The connection ended, or could not be made. */
export class ConnectionError extends Error {
  /** Name of the class. */
  override readonly name = 'ConnectionError';
  /** For programs: stays the same. */
  readonly code = 'VESPER_CONNECTION';
}
