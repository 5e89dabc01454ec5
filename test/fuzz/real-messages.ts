import type { Finding, Stream } from './mode.ts';
import type { Bearing } from './sequence.ts';

/** What SwiftShader can bear. A wild sequence mostly costs the session, and with it a device. */
export const REAL: Bearing = { isReal: true, wildOneIn: 6 };

/** What the process of a real backend says of its work. */
export type RealMessage =
  | { type: 'begins'; sequence: number; sessionBegan: number }
  | {
      type: 'finding';
      finding: Pick<Finding, 'mode' | 'execution' | 'what'>;
      /** Its bytes in base64. */
      stream: Omit<Stream, 'bytes'> & { bytes: string };
    }
  | { type: 'done'; commands: number; verdicts: [string, number][] };
