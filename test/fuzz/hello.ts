import { PROTOCOL } from '@vesper-gpu/protocol/guest';
import { DEFAULT_LIMITS, encodeHello } from '@vesper-gpu/wire';

/** The bytes that a guest sends first. */
export const HELLO = encodeHello({ ...PROTOCOL, agent: 'fuzz', limits: DEFAULT_LIMITS });
