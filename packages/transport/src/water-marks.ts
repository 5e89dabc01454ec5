/** Bytes queued by one side above which `send` returns false. */
export const HIGH_WATER_BYTES = 4 << 20;

/** Queued bytes at or below which `drained` is called after `send` had returned false. */
export const LOW_WATER_BYTES = 1 << 20;
