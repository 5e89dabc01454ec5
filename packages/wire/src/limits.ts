/** What one side accepts from the other; announced in the handshake. All in bytes unless the name says otherwise. */
export interface WireLimits {
  /** Largest frame, its header included. */
  maxFrameBytes: number;
  /** Largest string of a record, in UTF-8 bytes. */
  maxStringBytes: number;
  /** Most bulk data that may wait for the command that uses it. */
  maxBulkBytes: number;
}

/** What a host accepts beyond that. */
export interface HostLimits extends WireLimits {
  /** Most objects that may be bound at once. */
  maxObjects: number;
}

/** What a guest accepts of its host. */
export const DEFAULT_LIMITS: Readonly<WireLimits> = {
  maxFrameBytes: 16 << 20,
  maxStringBytes: 8 << 20,
  maxBulkBytes: 2 ** 31,
};

/** What a host accepts of a guest unless it is told otherwise. */
export const DEFAULT_HOST_LIMITS: Readonly<HostLimits> = { ...DEFAULT_LIMITS, maxObjects: 1 << 22 };

/** A frame before the handshake is done: a hello needs no more. */
export const MAX_HELLO_BYTES = 64 << 10;

/** Data longer than this goes through bulk records, each carrying at most as much. */
export const BULK_CHUNK_BYTES = 1 << 20;

/** Longest label or debug marker that is sent; longer ones are cut, as they only serve messages. In UTF-16 units. */
export const MAX_LABEL_LENGTH = 1024;

/** The same in bytes of UTF-8: a host refuses a longer one, which no guest's library sends. */
export const MAX_LABEL_BYTES = 3 * MAX_LABEL_LENGTH;

/** Longest message of a reply or an event. In UTF-16 units. */
export const MAX_MESSAGE_LENGTH = 16 << 10;
