import { ConnectionError } from '@vesper-gpu/wire';

/** Where a host listens, or what leads to it. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'shm'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'dev'; readonly path: string };

const FORMS = 'unix:PATH, shm:PATH, tcp:HOST:PORT (an IPv6 HOST in brackets) or dev:PATH';

/** Linux has room for 108 bytes with the final zero, macOS for 104. */
const MAX_UNIX_PATH_BYTES = 103;

/**
 * Reads `unix:PATH`, `shm:PATH`, `tcp:HOST:PORT` or `dev:PATH`. Port 0 stands for any free port, when listening.
 * @throws ConnectionError that names the address and the accepted forms.
 */
export function parseAddress(address: string): Address {
  const [, kind, rest] = /^(unix|shm|tcp|dev):([^\0]+)$/s.exec(address) ?? [];
  if (rest === undefined) throw invalid(address);
  if (kind === 'tcp') return parseTcp(address, rest);
  if (kind === 'dev') return { kind, path: rest };
  const byteLength = new TextEncoder().encode(rest).byteLength;
  if (byteLength > MAX_UNIX_PATH_BYTES) {
    throw invalid(
      address,
      `the path of a Unix socket can take ${MAX_UNIX_PATH_BYTES} bytes, and this one takes ${byteLength}`,
    );
  }
  return { kind: kind === 'shm' ? 'shm' : 'unix', path: rest };
}

function parseTcp(address: string, rest: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw invalid(address);
  const port = Number(digits);
  if (port > 65_535) throw invalid(address, `port ${port} is above 65535`);
  return { kind: 'tcp', host, port };
}

function invalid(address: string, why = `give ${FORMS}`): ConnectionError {
  return new ConnectionError(`"${address}" is no address of a Vesper host: ${why}`);
}

/** The text that `parseAddress` reads as `address`. */
export function formatAddress(address: Address): string {
  if (address.kind !== 'tcp') return `${address.kind}:${address.path}`;
  return `tcp:${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
