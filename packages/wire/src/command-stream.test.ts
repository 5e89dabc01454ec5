import { describe, expect, it } from 'vitest';
import { CommandStream, type StreamProtocol } from './command-stream.ts';
import { ConnectionError, ProtocolError } from './errors.ts';
import type { HostHello } from './handshake.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { WireReader } from './reader.ts';
import { OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK, REPLY_FAILED, REPLY_OK } from './record.ts';
import { RemoteEncoder } from './remote-object.ts';
import type { Transport } from './transport.ts';
import { WireWriter } from './writer.ts';

const [RELEASE, SELECT, REQUEST, COMMAND, REPLY, EVENT] = [10, 11, 12, 13, 20, 21] as const;

const host: HostHello = {
  agent: 'test',
  schemaRevision: 1,
  schemaHash: '',
  idlRevision: '',
  limits: { ...DEFAULT_LIMITS },
  wgslLanguageFeatures: [],
  preferredCanvasFormat: 'bgra8unorm',
};

function record(writer: WireWriter, opcode: number, ...words: number[]): void {
  const start = writer.begin(opcode);
  for (const word of words) writer.u32(word);
  writer.end(start);
}

/** A stream over a transport that keeps what it is given. Records are shown as [opcode, ...words]. */
function setUp(options: Pick<Transport, 'copiesOnSend'> = {}) {
  const sent: number[][][] = [];
  const buffers = new Set<ArrayBuffer>();
  const log: string[] = [];
  let closes = 0;
  const transport: Transport = {
    ...options,
    start: () => {},
    send: (bytes) => {
      buffers.add(bytes.buffer);
      const reader = new WireReader(0);
      reader.open(bytes.subarray(4));
      const records: number[][] = [];
      while (reader.nextRecord()) {
        const words = [reader.opcode];
        while (reader.more) words.push(reader.u32());
        records.push(words);
      }
      sent.push(records);
      return true;
    },
    pause: () => {},
    resume: () => {},
    close: () => void closes++,
  };
  const protocol: StreamProtocol = {
    encoderStateLength: 4,
    encodeRelease: (writer, ids) => record(writer, RELEASE, ...ids),
    encodeSelectEncoder: (writer, encoder) => record(writer, SELECT, encoder),
    decodeFailure: (reader) => new RangeError(reader.string()),
    decodeEvent: (reader) => {
      if (reader.opcode !== EVENT) return undefined;
      const number = reader.u32();
      return () => void log.push(`event ${number}`);
    },
  };
  const stream = new CommandStream(transport, protocol, host, {
    ...DEFAULT_LIMITS,
    maxFrameBytes: 4 << 20,
    maxBulkBytes: 4 << 20,
  });
  return {
    stream,
    sent,
    buffers,
    log,
    get closes() {
      return closes;
    },
    request: (): Promise<number> =>
      stream.request(
        (reader) => reader.u32(),
        (id) => record(stream.writer, REQUEST, id),
      ),
    /** Gives the stream one frame. */
    receive(write: (writer: WireWriter) => void): void {
      const writer = new WireWriter();
      write(writer);
      stream.receive(writer.takeFrame());
    },
  };
}

/** Lets the promise reactions run that are due. */
const reactions = (): Promise<void> => Promise.resolve();

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('CommandStream sending', () => {
  it('gathers what is written at once in one frame', async () => {
    const { stream, sent } = setUp();
    record(stream.writer, COMMAND, 1);
    record(stream.writer, COMMAND, 2);
    expect(sent).toEqual([]);
    await reactions();
    expect(sent).toEqual([
      [
        [COMMAND, 1],
        [COMMAND, 2],
      ],
    ]);
    record(stream.writer, COMMAND, 3);
    await reactions();
    expect(sent.slice(1)).toEqual([[[COMMAND, 3]]]);
    expect(stream.statistics.sentFrames).toBe(2);
    expect(stream.statistics.sentBytes).toBe(4 + 8 + 8 + 4 + 8);
  });

  it('sends at a submit when there is enough to do, and waits when there is not', async () => {
    const { stream, sent } = setUp();
    record(stream.writer, COMMAND, 1);
    stream.submitted();
    expect(sent).toEqual([]);
    for (let i = 0; i < 1024; i++) record(stream.writer, COMMAND, i);
    stream.submitted();
    expect(sent.map((records) => records.length)).toEqual([1025]);
    await reactions();
    expect(sent).toHaveLength(1);
  });

  it('fills one buffer again and again where the transport copies what it sends', async () => {
    const [copied, given] = [setUp({ copiesOnSend: true }), setUp()];
    for (const { stream } of [copied, given]) {
      for (let i = 0; i < 50_000; i++) record(stream.writer, COMMAND, i);
    }
    await reactions();
    expect(copied.buffers.size).toBe(1);
    expect(given.buffers.size).toBe(given.sent.length);
    expect(copied.sent).toEqual(given.sent);
  });

  it('sends a full frame at once, and nothing twice', async () => {
    const { stream, sent } = setUp();
    for (let i = 0; i < 100_000; i++) record(stream.writer, COMMAND, i);
    expect(sent.length).toBeGreaterThan(10);
    await reactions();
    const numbers = sent.flat().map(([, number]) => number);
    expect(numbers).toHaveLength(100_000);
    expect(numbers.every((number, i) => number === i)).toBe(true);
  });

  it('sends what is written after a record was taken back', async () => {
    const { stream, sent } = setUp();
    stream.writer.rewind(stream.writer.begin(COMMAND));
    await reactions();
    expect(sent).toEqual([]);
    record(stream.writer, COMMAND, 2);
    await reactions();
    expect(sent).toEqual([[[COMMAND, 2]]]);
  });

  it('refuses an encoder that has ended, each time, and sends nothing', async () => {
    const { stream, sent } = setUp();
    let reported = 0;
    class Pass extends RemoteEncoder {
      override reportEnded(): void {
        reported++;
      }
    }
    const pass = new Pass({ stream }, 5);
    expect(stream.selectEncoder(pass)).toBe(true);
    stream.endEncoder(pass);
    expect([stream.selectEncoder(pass), stream.selectEncoder(pass)]).toEqual([false, false]);
    expect(reported).toBe(2);
    expect(stream.selectEncoder(new RemoteEncoder({ stream }, 6))).toBe(true);
    await reactions();
    expect(sent.flat()).toEqual([
      [SELECT, 5],
      [SELECT, 6],
    ]);
  });

  it('selects an encoder once, and again after it was released', async () => {
    const { stream, sent } = setUp();
    const [five, six] = [new RemoteEncoder({ stream }, 5), new RemoteEncoder({ stream }, 6)];
    expect([five, five, six].map((one) => stream.selectEncoder(one))).toEqual([true, true, true]);
    await reactions();
    const id = stream.ids.allocate();
    const released = new RemoteEncoder({ stream }, id);
    stream.selectEncoder(released);
    stream.release(id);
    await reactions();
    await reactions();
    stream.selectEncoder(released);
    await reactions();
    expect(sent.flat()).toEqual([
      [SELECT, 5],
      [SELECT, 6],
      [SELECT, id],
      [RELEASE, id],
      [SELECT, id],
    ]);
  });

  it('releases behind the last use, together, and gives the ids again only then', async () => {
    const { stream, sent } = setUp();
    const [a, b] = [stream.ids.allocate(), stream.ids.allocate()];
    stream.release(a);
    record(stream.writer, COMMAND, a);
    stream.release(b);
    expect([stream.ids.allocate()]).not.toContain(a);
    await reactions();
    await reactions();
    expect(sent.flat()).toEqual([
      [COMMAND, a],
      [RELEASE, a, b],
    ]);
    expect(stream.ids.allocate()).not.toBe(a);
  });
});

describe('CommandStream receiving', () => {
  it('answers requests by their id, in any order', async () => {
    const { request, receive, sent } = setUp();
    const replies = [request(), request()];
    await reactions();
    expect(sent).toEqual([
      [
        [REQUEST, 1],
        [REQUEST, 2],
      ],
    ]);
    receive((writer) => record(writer, REPLY, 2, REPLY_OK, 22));
    receive((writer) => record(writer, REPLY, 1, REPLY_OK, 11));
    expect(await Promise.all(replies)).toEqual([11, 22]);
  });

  it('rejects with the failure that the host reports', async () => {
    const { request, receive } = setUp();
    const reply = request();
    receive((writer) => {
      const start = writer.begin(REPLY);
      writer.u32(1);
      writer.u32(REPLY_FAILED);
      writer.string('too much');
      writer.end(start);
    });
    await expect(reply).rejects.toEqual(new RangeError('too much'));
  });

  it('delivers the replies and events of one frame in tasks of their own', async () => {
    const { request, receive, log } = setUp();
    for (const name of ['a', 'b', 'c']) {
      void request().then(async () => {
        log.push(name);
        await reactions();
        await reactions();
        log.push(`${name} later`);
      });
    }
    receive((writer) => {
      record(writer, REPLY, 1, REPLY_OK, 0);
      record(writer, REPLY, 2, REPLY_OK, 0);
      record(writer, EVENT, 7);
      record(writer, REPLY, 3, REPLY_OK, 0);
    });
    for (let i = 0; i < 6; i++) await turn();
    expect(log).toEqual(['a', 'a later', 'b', 'b later', 'event 7', 'c', 'c later']);
  });

  it('takes frames byte by byte', async () => {
    const { stream, request } = setUp();
    const reply = request();
    const writer = new WireWriter();
    record(writer, REPLY, 1, REPLY_OK, 5);
    for (const byte of writer.takeFrame()) stream.receive(new Uint8Array([byte]));
    expect(await reply).toBe(5);
    expect(stream.statistics.receivedBytes).toBe(4 + 16);
  });

  it('takes bulk data for a reply', async () => {
    const { stream } = setUp();
    const sentData = new Uint8Array(3 << 20).map((_, i) => i * 7);
    const reply = stream.request(
      (reader) => reader.bytes(),
      (id) => record(stream.writer, REQUEST, id),
    );
    const writer: WireWriter = new WireWriter({ started: () => {}, full: () => stream.receive(writer.takeFrame()) });
    const start = writer.begin(REPLY);
    writer.u32(1);
    writer.u32(REPLY_OK);
    writer.bytes(sentData);
    writer.end(start);
    stream.receive(writer.takeFrame());
    expect(Buffer.compare(await reply, sentData)).toBe(0);
  });

  it('keeps nothing of a request that could not be written', async () => {
    const { stream, receive } = setUp();
    const failing = stream.request(
      (reader) => reader.u32(),
      () => {
        throw new TypeError('not encodable');
      },
    );
    await expect(failing).rejects.toThrow('not encodable');
    receive((writer) => record(writer, REPLY, 1, REPLY_OK, 0));
    expect(stream.closedBy).toBeInstanceOf(ProtocolError);
  });
});

describe('CommandStream ending', () => {
  it('rejects what is pending, in order, behind the replies that have arrived; then reports', async () => {
    const { stream, request, receive, log } = setUp();
    stream.onClosed = (error) => void log.push(`closed: ${error.message}`);
    for (const name of ['a', 'b', 'c', 'd']) {
      request().then(
        () => log.push(name),
        (error: Error) => log.push(`${name}: ${error.message}`),
      );
    }
    receive((writer) => {
      record(writer, REPLY, 1, REPLY_OK, 0);
      record(writer, REPLY, 3, REPLY_OK, 0);
    });
    stream.closed();
    stream.closed(new Error('a second time'));
    for (let i = 0; i < 6; i++) await turn();
    const why = 'the host closed the connection';
    expect(log).toEqual(['a', 'c', `closed: ${why}`, `b: ${why}`, `d: ${why}`]);
    expect(stream.closedBy).toBeInstanceOf(ConnectionError);
    await expect(request()).rejects.toBe(stream.closedBy);
  });

  it('keeps the fault of the transport as the reason', async () => {
    const { stream, request } = setUp();
    const fault = new ConnectionError('the connection broke');
    const reply = request();
    stream.closed(fault);
    await expect(reply).rejects.toBe(fault);
  });

  it('knows an end within a frame from one between frames', () => {
    const { stream } = setUp();
    stream.receive(new Uint8Array([8, 0]));
    stream.closed();
    expect((stream.closedBy as ProtocolError).reason).toBe('truncated');
  });

  it('sends nothing and hears nothing after its end', async () => {
    const { stream, sent, receive, log } = setUp();
    stream.closed();
    record(stream.writer, COMMAND, 1);
    stream.release(stream.ids.allocate());
    await turn();
    receive((writer) => record(writer, EVENT, 1));
    expect([sent, log]).toEqual([[], []]);
  });

  it('sends what was written when it is closed', () => {
    const context = setUp();
    record(context.stream.writer, COMMAND, 1);
    context.stream.close();
    expect(context.sent).toEqual([[[COMMAND, 1]]]);
    expect(context.closes).toBe(1);
  });

  it.each<[string, string, (writer: WireWriter) => void]>([
    ['a reply to no request', 'bad-request', (w) => record(w, REPLY, 9, REPLY_OK, 0)],
    ['a second reply', 'bad-request', (w) => (record(w, REPLY, 1, REPLY_OK, 0), record(w, REPLY, 1, REPLY_OK, 0))],
    ['an unknown status', 'bad-union', (w) => record(w, REPLY, 1, 2)],
    ['a reply that is too short', 'truncated', (w) => record(w, REPLY, 1, REPLY_OK)],
    ['a reply that is too long', 'trailing-bytes', (w) => record(w, REPLY, 1, REPLY_OK, 0, 0)],
    ['bulk data over the limit', 'limit', (w) => record(w, OPCODE_BEGIN_BULK, (4 << 20) + 1)],
    ['bulk data that was not announced', 'bad-bulk', (w) => record(w, OPCODE_BULK_CHUNK, 4, 0)],
  ])('closes on %s', async (_, reason, write) => {
    const context = setUp();
    const first = context.request().catch((error: unknown) => error);
    const other = context.request();
    context.receive(write);
    expect((context.stream.closedBy as ProtocolError).reason).toBe(reason);
    expect(context.closes).toBe(1);
    await expect(other).rejects.toBe(context.stream.closedBy);
    // It was answered before, or is rejected too.
    expect(await first).toSatisfy((result) => result === 0 || result === context.stream.closedBy);
  });
});
