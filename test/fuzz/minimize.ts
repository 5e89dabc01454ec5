import type { Stream } from './mode.ts';

/**
 * The first of some streams that crashes, cut behind the frame that does it; the last one as it is, if none does: what
 * crashes may depend on when a collector runs.
 * @param streams from the shortest to the one that did crash.
 * @param crashes plays a stream; it takes a second or two.
 */
export async function minimized(
  streams: readonly Stream[],
  crashes: (stream: Stream) => Promise<boolean>,
): Promise<Stream> {
  for (const stream of streams) {
    if (!(await crashes(stream))) continue;
    const ends = frameEnds(stream.bytes);
    // All frames crash; no frame does not. In between, a longer beginning is taken to be as bad as a shorter one.
    let harmless = 0;
    let harmful = ends.length;
    while (harmful - harmless > 1) {
      const middle = (harmless + harmful) >> 1;
      if (await crashes(cut(stream, ends[middle - 1]!))) harmful = middle;
      else harmless = middle;
    }
    return harmful === 0 ? stream : cut(stream, ends[harmful - 1]!);
  }
  return streams.at(-1)!;
}

function cut(stream: Stream, byteLength: number): Stream {
  const waits = stream.waits.filter(([atByte]) => atByte <= byteLength);
  return { ...stream, bytes: stream.bytes.subarray(0, byteLength), waits };
}

/** Where the frames end, behind the preamble; the last may be cut off. */
export function frameEnds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends: number[] = [];
  for (let at = PREAMBLE_BYTES; at + 4 <= bytes.byteLength;) {
    const length = view.getUint32(at, true);
    if (length < 4) break;
    at = Math.min(at + length, bytes.byteLength);
    ends.push(at);
  }
  return ends;
}

const PREAMBLE_BYTES = 8;
