import { commands } from '../wire/schema.ts';
import { afterFirstAnswers, requestNumberOf } from './guest-mode.ts';
import { HELLO } from './hello.ts';
import type { Stream } from './mode.ts';
import { SequenceMaker } from './sequence.ts';

/** The stream of a guest that has made an object of each interface, and then sends a record that it should not. */
export function guestReproducer(record: Uint8Array): Stream {
  const { steps, objects } = SequenceMaker.oneOfEach();
  const chunks: Uint8Array[] = [HELLO];
  const waits: [number, number][] = [];
  let byteLength = HELLO.byteLength;
  for (const { bytes, replies } of steps) {
    chunks.push(bytes);
    byteLength += bytes.byteLength;
    if (replies !== undefined) waits.push([byteLength, replies]);
  }
  const words = [...new Int32Array(Uint8Array.from(record).buffer)];
  const command = commands.find(({ opcode }) => opcode === (words[0]! & 0xffff));
  if (command?.target.kind === 'currentEncoder') {
    const encoder = objects.find((object) => command.target.interfaces.includes(object.type))!;
    words.unshift(SELECT_ENCODER | (2 << 16), encoder.id);
  }
  chunks.push(new Uint8Array(Int32Array.of((words.length + 1) * 4, ...words).buffer));
  return { from: 'guest', bytes: Buffer.concat(chunks), waits };
}

/** The stream of a host that has answered well, and then says a record that it should not. */
export function hostReproducer(record: Uint8Array): Stream {
  const copy = Uint8Array.from(record);
  const words = new Int32Array(copy.buffer);
  const request = requestNumberOf(words[0]! & 0xffff);
  // The fuzzer numbers requests in its own way, the program in its own.
  if (request > 0 && words.length > 1) words[1] = request;
  return afterFirstAnswers(copy);
}

const SELECT_ENCODER = commands.find(({ name }) => name === 'VesperStream.selectEncoder')!.opcode;
