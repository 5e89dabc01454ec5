// Stands in for dist/executor.js: says what its guest has used, then ends without a report, as one that crashes does.
process.on('disconnect', () => process.exit(1));
process.on('message', (assignment) => {
  if (assignment.type === 'stop') process.exit(0);
  const learned = { commands: ['GPUQueue.submit', 'no.such', 5], peakObjects: 3, secret: 'x'.repeat(1e6) };
  const done = () => process.exit(3);
  if (assignment.learn) process.send({ type: 'learned', learned }, done);
  else done();
});
process.send({ type: 'ready' });
