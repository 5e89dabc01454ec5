// The other end of a bare socket: a message is two words, what to do and a length in bytes.

export const HEADER_BYTES = 8;
/** Answers with the header. */
export const ECHO = 0;
/** Takes as many bytes as the length says, then answers with a header. */
export const SINK = 1;
/** Answers with as many bytes as the length says. */
export const SOURCE = 2;

/** @param {import('node:net').Socket} socket */
export function serveRaw(socket) {
  const header = Buffer.alloc(HEADER_BYTES);
  let filled = 0;
  /** Bytes of a payload that have not arrived. */
  let missing = 0;
  /** @type {Buffer} */
  let source = Buffer.alloc(0);
  const act = () => {
    const kind = header.readUInt32LE(0);
    const byteLength = header.readUInt32LE(4);
    if (kind === ECHO) socket.write(Buffer.from(header));
    else if (kind === SINK) missing = byteLength;
    else {
      if (source.byteLength !== byteLength) source = Buffer.alloc(byteLength, 1);
      socket.write(source);
    }
  };
  socket.on('data', (chunk) => {
    for (let at = 0; at < chunk.byteLength;) {
      if (missing > 0) {
        const taken = Math.min(missing, chunk.byteLength - at);
        at += taken;
        missing -= taken;
        if (missing === 0) socket.write(Buffer.from(header));
        continue;
      }
      const taken = chunk.copy(header, filled, at, at + HEADER_BYTES - filled);
      at += taken;
      filled += taken;
      if (filled === HEADER_BYTES) {
        filled = 0;
        act();
      }
    }
  });
  socket.on('error', () => socket.destroy());
}
