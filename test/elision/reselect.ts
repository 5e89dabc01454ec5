import { Opcode } from '@vesper-gpu/protocol';
import type { Transport } from '@vesper-gpu/wire';

const FRAME_HEADER_BYTES = 4;
const SELECT_WORDS = 2;

/**
 * A guest's transport that selects the current encoder anew behind each record, so that its host knows nothing of the
 * encoder's state and executes every command.
 */
export function reselecting(inner: Transport): Transport {
  let isHello = true;
  let encoder = 0;
  return {
    start: (handlers) => inner.start(handlers),
    send(bytes) {
      if (isHello) {
        isHello = false;
        return inner.send(bytes);
      }
      const words = new Uint32Array(bytes.slice(FRAME_HEADER_BYTES).buffer);
      const sent: number[] = [0];
      for (let at = 0; at < words.length;) {
        const header = words[at]!;
        const length = header >>> 16 === 0 ? words[at + 1]! : header >>> 16;
        const record = words.subarray(at, at + length);
        for (const word of record) sent.push(word);
        const opcode = header & 0xffff;
        if (opcode === Opcode.streamSelectEncoder) encoder = record[1]!;
        if (opcode === Opcode.streamRelease && record.includes(encoder)) encoder = 0;
        if (encoder !== 0) sent.push(Opcode.streamSelectEncoder | (SELECT_WORDS << 16), encoder);
        at += length;
      }
      sent[0] = sent.length * 4;
      return inner.send(new Uint8Array(new Uint32Array(sent).buffer));
    },
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    ref: () => inner.ref?.(),
    unref: () => inner.unref?.(),
    close: () => inner.close(),
  };
}
