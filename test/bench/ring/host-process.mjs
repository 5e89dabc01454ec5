// The host in a process, which shares memory with the first two that come. Ends with its parent.
import { acceptSharedMemory, listen } from '@vesper-gpu/transport';
import { hostMemory } from '../collector.mjs';
import { serve } from './host.mjs';

/** @type {import('@vesper-gpu/wire').Transport[]} */
const accepted = [];
const listener = await listen(process.argv[2], {
  async connection(socket) {
    accepted.push(await acceptSharedMemory(socket));
    if (accepted.length === 2) serve(accepted[0], accepted[1], hostMemory);
  },
});
process.send?.(listener.address);
process.on('disconnect', () => process.exit());
