/** What stands in front of each tag. */
export declare const MARK: Buffer;
export declare const TAG: { readonly data: 0; readonly start: 1; readonly end: 2; readonly nothing: 3 };
export declare const NONCE_BYTES: number;
/** The bytes that stand for `chunk` on a port, in order. */
export declare function escape(chunk: Buffer): Buffer[];
/** A mark and its tag. */
export declare function control(tag: number, nonce?: Uint8Array): Buffer;
/** How many bytes at the end of `chunk`, behind `from`, are the beginning of a mark. */
export declare function partialMark(chunk: Buffer, from: number): number;
