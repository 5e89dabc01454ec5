import { ConnectionError, ProtocolError } from './errors.ts';
import { FrameReader } from './frame.ts';
import { MAX_HELLO_BYTES, type WireLimits } from './limits.ts';
import { WireReader } from './reader.ts';
import { WireWriter } from './writer.ts';

/** "VSPR", little-endian: what a stream starts with, so that a peer of another kind is known by its first bytes. */
const MAGIC = 0x52505356;
const PREAMBLE_BYTES = 8;
/** Longest text of a hello that is taken over, in UTF-16 units. */
const MAX_HELLO_TEXT_LENGTH = 200;
/** Longest refusal that is taken over, in UTF-16 units: it names both sides. */
const MAX_REFUSAL_LENGTH = 2000;

/** Version of frames, records and the handshake: what this package implements. The schema has a revision of its own. */
export const WIRE_VERSION = 1;

/** Which protocol a side speaks. */
export interface ProtocolIdentity {
  /** Grows by one with each change of the schema; see `idl/wire.lock.json`. */
  schemaRevision: number;
  /** Hash of the schema: two sides of one revision that differ were built from different inputs. */
  schemaHash: string;
  /** The IDL that the schema was made from, such as `@webref/idl 3.85.0`. */
  idlRevision: string;
}

/** What a guest says first. */
export interface GuestHello extends ProtocolIdentity {
  /** Name and version of the guest library, for logs. */
  agent: string;
  /** What this side accepts. */
  limits: WireLimits;
  /** The secret of a capability that was delegated to this guest; without one, it has what its address gives. */
  capability?: string;
}

/** What a host answers. */
export interface HostHello extends Omit<GuestHello, 'capability'> {
  /** Why the host does not serve this guest; the stream ends behind it. */
  refusal?: string;
  /** https://www.w3.org/TR/webgpu/#gpuwgsllanguagefeatures */
  wgslLanguageFeatures: readonly string[];
  /** https://www.w3.org/TR/webgpu/#dom-gpu-getpreferredcanvasformat */
  preferredCanvasFormat: string;
}

/** The bytes of a hello: the preamble (magic, wire version) and one frame of name-value pairs. */
export function encodeHello(hello: GuestHello | HostHello, wireVersion = WIRE_VERSION): Uint8Array<ArrayBuffer> {
  const pairs: [string, string][] = [
    ['agent', hello.agent],
    ['schemaRevision', String(hello.schemaRevision)],
    ['schemaHash', hello.schemaHash],
    ['idlRevision', hello.idlRevision],
    ['maxFrameBytes', String(hello.limits.maxFrameBytes)],
    ['maxStringBytes', String(hello.limits.maxStringBytes)],
    ['maxBulkBytes', String(hello.limits.maxBulkBytes)],
  ];
  if ('capability' in hello && hello.capability !== undefined) pairs.push(['capability', hello.capability]);
  if ('wgslLanguageFeatures' in hello) {
    pairs.push(['wgslLanguageFeatures', hello.wgslLanguageFeatures.join(' ')]);
    pairs.push(['preferredCanvasFormat', hello.preferredCanvasFormat]);
    if (hello.refusal !== undefined) pairs.push(['refusal', hello.refusal]);
  }
  const writer = new WireWriter();
  const record = writer.begin(0);
  writer.u32(pairs.length);
  for (const [name, value] of pairs) {
    writer.string(name);
    writer.string(value);
  }
  writer.end(record);
  const frame = writer.takeFrame();
  const bytes = new Uint8Array(PREAMBLE_BYTES + frame.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, wireVersion, true);
  bytes.set(frame, PREAMBLE_BYTES);
  return bytes;
}

/** Reads the other side's hello from the start of a stream. */
export class HelloReader {
  readonly #preamble = new Uint8Array(PREAMBLE_BYTES);
  #filled = 0;
  readonly #frames = new FrameReader(MAX_HELLO_BYTES);
  readonly #peer: string;

  /** @param peer what the other side is called in messages: "guest" or "host". */
  constructor(peer: string) {
    this.#peer = peer;
  }

  /**
   * Adds received bytes.
   * @returns the hello and the bytes behind it once it is complete, undefined before.
   * @throws ProtocolError when the peer is no Vesper, speaks another wire version, or says something malformed.
   */
  push(chunk: Uint8Array): { fields: ReadonlyMap<string, string>; rest: Uint8Array } | undefined {
    let rest = chunk;
    if (this.#filled < PREAMBLE_BYTES) {
      const taken = rest.subarray(0, PREAMBLE_BYTES - this.#filled);
      this.#preamble.set(taken, this.#filled);
      this.#filled += taken.byteLength;
      this.#checkPreamble();
      rest = rest.subarray(taken.byteLength);
    }
    let fields: ReadonlyMap<string, string> | undefined;
    const behind = this.#frames.push(rest, (records) => {
      fields = readPairs(records);
      return false;
    });
    return fields && { fields, rest: behind ?? new Uint8Array(0) };
  }

  #checkPreamble(): void {
    const view = new DataView(this.#preamble.buffer);
    for (let i = 0; i < Math.min(4, this.#filled); i++) {
      if (this.#preamble[i] !== ((MAGIC >>> (8 * i)) & 0xff)) {
        throw new ProtocolError(
          'bad-magic',
          `the ${this.#peer} does not speak Vesper: its stream does not start with "VSPR"${this.#advice}`,
          i,
        );
      }
    }
    if (this.#filled < PREAMBLE_BYTES) return;
    const version = view.getUint32(4, true);
    if (version !== WIRE_VERSION) {
      throw new ProtocolError(
        'wire-version',
        `the ${this.#peer} speaks wire version ${version}, this side speaks ${WIRE_VERSION}; install matching versions of Vesper`,
        4,
      );
    }
  }

  /** A guest may have the address of something else, or that of a host with another beginning. */
  get #advice(): string {
    return this.#peer === 'host' ? '; is this the address at which it listens, from its unix:, shm: or tcp: on?' : '';
  }

  /** What to say when the stream ended before the hello did. */
  endedEarly(): ConnectionError {
    return new ConnectionError(
      this.#filled === 0
        ? `the ${this.#peer} closed the connection without a word`
        : `the ${this.#peer} closed the connection within its hello`,
    );
  }
}

function readPairs(records: Uint8Array<ArrayBuffer>): Map<string, string> {
  const reader = new WireReader(MAX_HELLO_BYTES);
  reader.open(records);
  if (!reader.nextRecord() || reader.opcode !== 0) reader.fail('bad-hello', 'no hello record in the first frame');
  const pairs = new Map<string, string>();
  for (let left = reader.count(2); left > 0; left--) pairs.set(reader.string(), reader.string());
  reader.finish();
  return pairs;
}

function numberField(fields: ReadonlyMap<string, string>, name: string): number {
  const text = fields.get(name) ?? '';
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new ProtocolError('bad-hello', `"${name}" is "${textField(fields, name)}"`);
  }
  return value;
}

/** Text that will be logged and shown: bounded, and without line breaks or escape sequences. */
function textField(fields: ReadonlyMap<string, string>, name: string, maxLength = MAX_HELLO_TEXT_LENGTH): string {
  return (fields.get(name) ?? '').slice(0, maxLength).replace(/\p{Cc}/gu, ' ');
}

/** The typed form of a guest's hello. Unknown names are left alone: a newer peer may say more. */
export function parseGuestHello(fields: ReadonlyMap<string, string>): GuestHello {
  const capability = fields.get('capability');
  return {
    ...(capability === undefined ? {} : { capability: capability.slice(0, MAX_HELLO_TEXT_LENGTH) }),
    agent: textField(fields, 'agent'),
    schemaRevision: numberField(fields, 'schemaRevision'),
    schemaHash: textField(fields, 'schemaHash'),
    idlRevision: textField(fields, 'idlRevision'),
    limits: {
      maxFrameBytes: numberField(fields, 'maxFrameBytes'),
      maxStringBytes: numberField(fields, 'maxStringBytes'),
      maxBulkBytes: numberField(fields, 'maxBulkBytes'),
    },
  };
}

/** The typed form of a host's hello. */
export function parseHostHello(fields: ReadonlyMap<string, string>): HostHello {
  const refusal = fields.has('refusal') ? textField(fields, 'refusal', MAX_REFUSAL_LENGTH) : undefined;
  return {
    ...parseGuestHello(fields),
    wgslLanguageFeatures: (fields.get('wgslLanguageFeatures') ?? '').split(' ').filter((name) => name !== ''),
    preferredCanvasFormat: fields.get('preferredCanvasFormat') ?? '',
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Why two sides cannot talk, or undefined: an older revision is understood, two schemas of one revision are not. */
export function incompatibility(guest: ProtocolIdentity, host: ProtocolIdentity): string | undefined {
  if (guest.schemaRevision === 0 || host.schemaRevision === 0) return 'a schema revision of 0';
  if (guest.schemaRevision !== host.schemaRevision || guest.schemaHash === host.schemaHash) return undefined;
  return (
    `both sides call their schema revision ${host.schemaRevision}, but the guest's is ${guest.schemaHash} (${guest.idlRevision}) ` +
    `and the host's is ${host.schemaHash} (${host.idlRevision}); build both from one lock file`
  );
}
