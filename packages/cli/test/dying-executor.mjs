// Stands in for dist/executor.js: says what its guest has used, then ends without a report, as one that crashes does.
import { tell } from './talk.mjs';

process.on('message', (assignment) => {
  const learned = { commands: ['GPUQueue.submit', 'no.such', 5], peakObjects: 3, secret: 'x'.repeat(1e6) };
  const done = () => process.exit(3);
  if (assignment.learn) tell({ type: 'learned', learned }, done);
  else done();
});
tell({ type: 'ready' });
