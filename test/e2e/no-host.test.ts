import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { runProgram } from './program.ts';

/** A program that has no GPU ends with one line, on stderr, that says why. */
async function expectOneLine(address: string | undefined, ...parts: string[]): Promise<void> {
  const { status, stdout, stderr } = await runProgram('idle', address);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n'), stderr).toHaveLength(1);
  expect(stderr).toMatch(/^vesper: .+\n$/);
  for (const part of parts) expect(stderr).toContain(part);
  expect(status).toBe(1);
}

/** The address of a server of another kind, while `use` runs. */
async function withServer(server: Server, use: (address: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`tcp:127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('a program whose host', () => {
  it('does not listen, says so and names the address', async () => {
    const address = 'unix:/nowhere/at/all';
    await expectOneLine(address, address);
    const server = createServer();
    let closed = '';
    await withServer(server, (given) => {
      closed = given;
      return Promise.resolve();
    });
    await expectOneLine(closed, closed);
  });

  it('is not named, or not in a form that is known, says what to do', async () => {
    await expectOneLine(undefined, 'VESPER_ADDRESS', 'unix:PATH');
    await expectOneLine('', 'VESPER_ADDRESS');
    await expectOneLine('http://localhost:80', 'http://localhost:80', 'unix:PATH');
    await expectOneLine('tcp:localhost', 'tcp:localhost');
  });

  it('is a web server, says that it is no Vesper', async () => {
    const server = createHttpServer((_request, response) => response.end('hello'));
    await withServer(server, (address) => expectOneLine(address, address, 'does not speak Vesper'));
  });

  it('hangs up, or answers nonsense, says so', async () => {
    await withServer(
      createServer((socket) => socket.resume().end()),
      (address) => expectOneLine(address, address),
    );
    await withServer(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end(Buffer.alloc(1000, 0xab)),
      ),
      (address) => expectOneLine(address, address),
    );
    await withServer(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('VSPR'),
      ),
      (address) => expectOneLine(address, address),
    );
  });
});
