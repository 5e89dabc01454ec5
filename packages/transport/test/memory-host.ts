/** A host in a process of its own, at the address in its arguments: sends back whatever it is sent. */
import { acceptSharedMemory } from '../src/shared-memory/host.ts';
import { listen } from '../src/listen.ts';

const listener = await listen(process.argv[2]!, {
  connection: async (socket) => {
    const transport = await acceptSharedMemory(socket);
    transport.start({
      bytes: (chunk) => {
        if (!transport.send(chunk.slice())) transport.pause();
      },
      drained: () => transport.resume(),
      closed: () => process.exit(),
    });
  },
});
process.send?.(listener.address);
