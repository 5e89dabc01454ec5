import { encodeStreamInjectError } from '@vesper-gpu/protocol/guest';
import { encodeHello, WireWriter } from '@vesper-gpu/wire';
import { idAt } from '../hostile/arena.ts';
import { HELLO, frameOf } from '../session/pair.ts';
import type { LinkEnd } from './link.ts';
import type { Random } from './random.ts';

const REQUEST_ADAPTER = 8;
const REQUEST_DEVICE = 9;
const DEVICE = idAt(1);

/** A guest that speaks the protocol as far as it likes, and reads as little as it likes. */
export class HostileGuest {
  readonly #end: LinkEnd;
  readonly #random: Random;
  readonly #given: () => number;
  #hasAsked = false;
  #isGone = false;
  readonly #isPatient: boolean;
  /** What it may still do. */
  left: number;

  /** @param given how much the host's GPU has given: an adapter, then a device, which a flood needs. */
  constructor(end: LinkEnd, random: Random, given: () => number) {
    this.#given = given;
    this.#end = end;
    this.#random = random;
    this.left = random.between(3, 60);
    this.#isPatient = random.oneIn(2);
    end.start({ bytes() {}, closed: () => (this.#isGone = true) });
    // One that never reads at all, so that the host comes under back-pressure.
    if (random.oneIn(2)) end.pause();
    if (this.#isPatient || !random.oneIn(8)) end.send(encodeHello(HELLO));
    if (!this.#isPatient && random.oneIn(6)) return;
    end.send(frameOf(REQUEST_ADAPTER | (4 << 16), 1, idAt(0), 0));
  }

  get canAct(): boolean {
    return this.left > 0 && !this.#isGone;
  }

  act(): void {
    this.left--;
    const random = this.#random;
    // A patient one asks for the device first, and does its worst then.
    if (this.#isPatient && this.#given() < 2) return this.#ask();
    switch (random.below(this.#isPatient && this.left > 2 ? 40 : 8)) {
      case 0:
        this.#end.send(Uint8Array.from({ length: random.below(64) }, () => random.below(256)));
        return;
      case 1:
        this.#end.send(frameOf(...Array.from({ length: random.between(1, 12) }, () => random.u32())));
        return;
      case 2:
        // A frame that says that it is longer than what comes.
        this.#end.send(new Uint8Array(Int32Array.of(random.below(1 << 20) * 4, 1).buffer));
        return;
      case 3:
        if (random.oneIn(2)) this.#end.resume();
        else this.#end.pause();
        return;
      case 4:
        if (random.oneIn(4)) this.#end.close();
        return;
      default:
        this.#flood();
    }
  }

  #ask(): void {
    if (this.#given() < 1 || this.#hasAsked) return;
    this.#hasAsked = true;
    this.#end.send(frameOf(REQUEST_DEVICE | (6 << 16), idAt(0), 2, DEVICE, idAt(2), 0));
  }

  /** Errors that come back as events, to a guest that may not read them. */
  #flood(): void {
    const writer = new WireWriter();
    const message = 'y'.repeat(this.#random.below(1000));
    for (let i = 0; i < 50; i++) encodeStreamInjectError(writer, DEVICE, 'internal', message);
    this.#end.send(writer.takeFrame());
  }
}
