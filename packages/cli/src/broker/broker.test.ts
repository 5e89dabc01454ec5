import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HelloReader, parseHostHello } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { eventually, guestHello, temporaryFolder, TestBroker } from '../../test/test-broker.ts';

describe('executors', () => {
  it('crash for their guest alone', async () => {
    const test = await TestBroker.start();
    const [victim, witness] = [await test.guest(), await test.guest()];
    const { pid } = await test.logged(/guest 1 connected/);
    process.kill(Number(pid), 'SIGKILL');
    await victim.closed;
    await test.logged(/guest 1 was dropped: its executor was ended by SIGKILL/);
    expect(test.reports).toMatchObject([{ guest: 1, reason: 'crash', agent: 'test guest' }]);

    witness.socket.write('pong');
    expect((await witness.received(8)).toString()).toBe('pingpong');
    expect((await test.guest()).bytes.toString()).toBe('ping');
    expect(test.broker.guestCount).toBe(2);
  });

  it('that crash while they wait for a guest are replaced', async () => {
    const test = await TestBroker.start('unix', { executorFile: join(temporaryFolder(), 'absent.mjs') });
    const client = await test.connect();
    client.socket.write(guestHello());
    await client.closed;
    const refusal = new HelloReader('host').push(client.bytes);
    expect(parseHostHello(refusal!.fields).refusal).toMatch(/could not start a process/);
    const entry = await test.logged(/guest 1 was dropped: its executor ended with status 1/);
    expect(String(entry['output'])).toMatch(/Cannot find module/);
  });

  it('that end before they have taken their guest close its connection, and it is told why', async () => {
    const file = join(temporaryFolder(), 'executor.mjs');
    // Stopped, it never says that it has the socket.
    writeFileSync(
      file,
      `import { writeSync } from 'node:fs'; writeSync(5, '{"type":"ready"}\\n'); process.kill(process.pid, 'SIGSTOP');`,
    );
    const test = await TestBroker.start('unix', { executorFile: file });
    const client = await test.connect();
    client.socket.write(guestHello());
    const { pid } = await test.logged(/guest 1 connected/);
    process.kill(Number(pid), 'SIGKILL');
    await client.closed;
    await test.logged(/guest 1 was dropped: its executor was ended by SIGKILL/);
    expect(test.broker.guestCount).toBe(0);
    const refusal = new HelloReader('host').push(client.bytes);
    expect(parseHostHello(refusal!.fields).refusal).toBe("the host's process for this session was ended by SIGKILL");
  });

  it('have nothing of this environment but what a driver needs', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'executor.mjs');
    writeFileSync(file, 'console.error(JSON.stringify([process.cwd(), Object.keys(process.env), process.execArgv]));');
    process.env['SECRET_TOKEN'] = 'hush';
    process.env['NODE_OPTIONS'] = '--no-warnings';
    try {
      const test = await TestBroker.start('unix', { executorFile: file });
      const entry = await test.logged(/an executor wrote/);
      const [cwd, names, execArgv] = JSON.parse(String(entry['line'])) as [string, string[], string[]];
      expect(cwd).toBe('/');
      expect(execArgv).toEqual(['--expose-gc']); // the host says when to collect
      expect(names).toContain('LP_FAKE_DELAY_MS'); // the driver's own
      expect(names).not.toContain('SECRET_TOKEN');
      expect(names).not.toContain('NODE_OPTIONS');
    } finally {
      delete process.env['SECRET_TOKEN'];
      delete process.env['NODE_OPTIONS'];
    }
  });

  it('cannot keep this process busy with messages', async () => {
    const file = join(temporaryFolder(), 'executor.mjs');
    writeFileSync(
      file,
      `import { writeSync } from 'node:fs';
      writeSync(5, '{"type":"ready"}\\n');
      setInterval(() => writeSync(5, '{"type":"delegate","id":1,"policy":{}}\\n'.repeat(1000)), 10);`,
    );
    const test = await TestBroker.start('unix', { executorFile: file });
    const client = await test.connect();
    client.socket.write(guestHello());
    await client.closed;
    await test.logged(/^guest 1 was dropped: its process sent more than 200 messages in a second/);
    expect(test.reports).toMatchObject([{ guest: 1, reason: 'watchdog' }]);
  });

  it('cannot flood the log', async () => {
    const file = join(temporaryFolder(), 'executor.mjs');
    writeFileSync(file, `process.stderr.write(('\\x1b[31m' + 'x'.repeat(5000) + '\\n').repeat(1000));`);
    const test = await TestBroker.start('unix', { executorFile: file });
    const { output } = await test.logged(/the executor kept ready for the next guest ended/);
    const lines = test.log.filter(({ msg }) => msg === 'an executor wrote').map(({ line }) => String(line));
    expect(lines).toHaveLength(50);
    expect(output).toHaveLength(10);
    for (const line of [...lines, ...(output as string[])]) {
      expect(line.length).toBeLessThanOrEqual(200);
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  });
});

describe('a broker', () => {
  it('refuses guests beyond its number, and says so', async () => {
    const test = await TestBroker.start('unix', { maxGuests: 2 });
    const first = await test.guest();
    await test.guest();
    const third = await test.connect();
    third.socket.write(guestHello());
    await third.closed;
    const hello = new HelloReader('host').push(third.bytes);
    expect(parseHostHello(hello!.fields).refusal).toMatch(/serves 2 guests at a time/);
    await test.logged(/^refused: this host serves 2 guests/);

    first.socket.destroy();
    await test.logged(/guest 1 left/);
    expect((await test.guest()).bytes.toString()).toBe('ping');
  });

  it('says how many it refused where it refuses many', async () => {
    const test = await TestBroker.start('unix', { maxGuests: 0 });
    for (let i = 0; i < 300; i++) {
      const client = await test.connect();
      client.socket.write(guestHello());
      await client.closed;
    }
    const counted = () =>
      test.log
        .filter(({ msg }) => msg.startsWith('refused: '))
        .reduce((sum, { connections }) => sum + Number(connections ?? 1), 0);
    await eventually('all refusals', () => (counted() === 300 ? true : undefined));
    expect(test.log.filter(({ msg }) => msg.startsWith('refused: ')).length).toBeLessThan(100);
  });

  it('listens at several addresses', async () => {
    const path = join(temporaryFolder(), 'second');
    const test = await TestBroker.start('unix', { listen: ['tcp:127.0.0.1:0', `unix:${path}`] });
    expect(test.broker.addresses).toEqual([expect.stringMatching(/^tcp:127\.0\.0\.1:[1-9]\d*$/), `unix:${path}`]);
    expect((await test.guest()).bytes.toString()).toBe('ping');
  });

  it('leaves nothing behind when one of its addresses cannot be listened at', async () => {
    const folder = temporaryFolder();
    const listen = [`unix:${join(folder, 'gpu')}`, `unix:${join(folder, 'absent', 'gpu')}`];
    await expect(TestBroker.start('unix', { listen })).rejects.toThrow(/cannot listen at .*absent/);
    expect(readdirSync(folder)).toEqual([]);
    await expect(TestBroker.start('unix', { listen: ['nonsense'] })).rejects.toThrow(/"nonsense" is no address/);
  });

  it('ends its guests and its processes when it closes', async () => {
    const test = await TestBroker.start();
    const [guest, silent] = [await test.guest(), await test.connect()];
    const { pid } = await test.logged(/guest 1 connected/);
    await test.broker.close();
    await Promise.all([guest.closed, silent.closed]);
    expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
    expect(existsSync(test.broker.addresses[0]!.slice('unix:'.length))).toBe(false);
    expect(test.reports).toMatchObject([{ guest: 1, reason: 'closed' }]);
    await test.broker.close();
  });

  it.runIf(existsSync('/proc/self/fd'))('has as many descriptors after many guests as before', async () => {
    const test = await TestBroker.start();
    // Counted when one spare executor is ready and no guest is there.
    const settled = async (guests: number): Promise<number> => {
      await eventually(`the end of guest ${guests}`, () => (test.reports.length === guests ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, 300));
      return readdirSync('/proc/self/fd').length;
    };
    for (let i = 0; i < 3; i++) (await test.guest()).socket.destroy();
    const before = await settled(3);
    for (let i = 0; i < 20; i++) {
      const guest = await test.guest();
      const garbage = await test.connect();
      garbage.socket.write('garbage');
      await garbage.closed;
      guest.socket.destroy();
      await guest.closed;
    }
    expect(await settled(23)).toBe(before);
    expect(test.broker.guestCount).toBe(0);
  });
});
