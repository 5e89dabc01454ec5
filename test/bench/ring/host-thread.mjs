// The host in a thread, which has one end of each ring.
import { workerData } from 'node:worker_threads';
import { ringTransport } from '@vesper-gpu/transport/ring';
import { serve } from './host.mjs';

serve(ringTransport(workerData.guest), ringTransport(workerData.echo));
