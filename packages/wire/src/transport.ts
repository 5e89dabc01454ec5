/**
 * An ordered, reliable, full-duplex byte stream between one guest and its host.
 * Chunk boundaries carry no meaning: frames are cut by `FrameReader`.
 */
export interface Transport {
  /**
   * Whether `send` has copied the bytes when it returns: the array is the caller's still, to be filled again. Taking new
   * memory for each frame can cost more than sending it. Default false; may become true while the stream is open.
   */
  readonly copiesOnSend?: boolean | undefined;
  /**
   * Starts delivery. Called once; nothing is delivered before. Each call of a handler happens in a task of its own,
   * so that promise reactions run between two of them.
   */
  start(handlers: TransportHandlers): void;
  /**
   * Queues `bytes` for sending; the transport owns the array from now on, the caller must not write to it again (but see
   * `copiesOnSend`).
   * Returns false when more than the transport's high-water mark is queued: a peer that can wait should stop
   * producing until `drained`. Bytes sent after the stream closed are dropped.
   */
  send(bytes: Uint8Array<ArrayBuffer>): boolean;
  /** Stops delivery of received bytes, so that the sender comes under back-pressure. */
  pause(): void;
  /** Undoes `pause`. */
  resume(): void;
  /** Keeps the process alive while the stream is open, where that means something. */
  ref?(): void;
  /** Lets the process end although the stream is open: nothing is awaited. */
  unref?(): void;
  /** Sends what is queued, then closes; `closed` is called once the stream is closed. Safe to call twice. */
  close(): void;
}

/**
 * Sends a frame that lies in pieces, anywhere, on a transport that copies what it sends.
 * @returns what `send` does
 */
export function sendPieces(transport: Transport, pieces: readonly Uint8Array[]): boolean {
  // All of them before the first is sent: where there is no memory for a copy, no half of a frame has gone.
  const plain = pieces.filter(({ byteLength }) => byteLength > 0).map((piece) => plainBytes(piece));
  let takesMore = true;
  for (const piece of plain) takesMore = transport.send(piece);
  return takesMore;
}

/** In memory that every transport takes: a WebSocket takes none that is shared or can be resized. */
function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isPlain = bytes.buffer instanceof ArrayBuffer && (bytes.buffer as { resizable?: boolean }).resizable !== true;
  return isPlain ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

/** What a stream tells whoever started it. */
export interface TransportHandlers {
  /** Received bytes. The array is the handler's for the duration of the call only. */
  bytes(chunk: Uint8Array): void;
  /**
   * Where the next bytes would be copied to in any case, as far as they fit: a transport may put them there at once, and
   * gives `bytes` that part of it. What it returns is good until bytes are delivered. Undefined where it is not known.
   */
  room?(): Uint8Array<ArrayBuffer> | undefined;
  /** An array that `send` took is nobody's any more. A transport that passes arrays on does not say so. */
  sent?(bytes: Uint8Array<ArrayBuffer>): void;
  /** The queue fell below the low-water mark after `send` had returned false. */
  drained?(): void;
  /** The stream ended; called exactly once. `error` is set when it ended by a fault, not by either side's `close`. */
  closed(error?: Error): void;
}
