import { REASONS as HOST_REASONS } from '../hostile/reasons.ts';

/** The reasons that a ProtocolError of either side may have once the hello is done; those of a policy included. */
export const REASONS = new Set<string>([...HOST_REASONS, 'bad-request', 'budget']);
