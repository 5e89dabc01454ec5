/** On what the two threads of device-pump.mjs agree: the nonce that begins a session, and that it has begun. */
export declare class Agreement {
  readonly memory: SharedArrayBuffer;
  constructor(memory?: SharedArrayBuffer);
  get nonce(): Buffer;
  renew(nonce: Uint8Array): boolean;
  begin(answer: Buffer): boolean;
}
