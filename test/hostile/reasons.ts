/** The reasons that a ProtocolError may have once the hello is done. */
export const REASONS = new Set<string>([
  'bad-record',
  'unknown-record',
  'truncated',
  'trailing-bytes',
  'unknown-field',
  'bad-enum',
  'bad-boolean',
  'bad-union',
  'bad-string',
  'bad-object',
  'bad-id',
  'bad-bulk',
  'limit',
]);
