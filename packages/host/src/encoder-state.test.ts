import { encodeBindingCommandsSetBindGroup, encodeRenderPassEncoderEnd } from '@vesper-gpu/protocol/guest';
import { WireReader, WireWriter } from '@vesper-gpu/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { EncoderState } from './encoder-state.ts';

let state: EncoderState;
let encoder: object;
beforeEach(() => {
  state = new EncoderState();
  encoder = {};
  state.selected(encoder);
});

function record(write: (writer: WireWriter) => void): WireReader {
  const writer = new WireWriter();
  write(writer);
  const reader = new WireReader(0);
  reader.open(writer.takeFrame().slice(4));
  reader.nextRecord();
  return reader;
}

/** As a connection does it. @returns whether it was left out */
function execute(write: (writer: WireWriter) => void): boolean {
  const { opcode, words, recordStart, end } = record(write);
  return state.setsAgain(opcode, words, recordStart, end);
}

const set = (index: number, group: number) => (writer: WireWriter) =>
  encodeBindingCommandsSetBindGroup(writer, index, group, []);

describe('the state of an encoder', () => {
  it('is that of each index by itself, and unknown where another encoder is selected', () => {
    const steps = [set(0, 5), set(0, 5), set(1, 5), set(0, 6), set(1, 5), set(0, 5)];
    expect(steps.map(execute)).toEqual([false, true, false, false, true, false]);
    state.selected({});
    expect(execute(set(0, 5))).toBe(false);
  });

  it('is what a long record sets, too', () => {
    const long = (index: number, group: number) => (writer: WireWriter) =>
      writer.words.set([45, 4, index, group], writer.record(4));
    const steps = [set(0, 5), long(0, 6), set(0, 5), long(1, 5), long(1, 5), set(0, 5)];
    expect(steps.map(execute)).toEqual([false, false, false, false, true, true]);
  });

  it('is compared no more where next to nothing repeats, and again later', () => {
    for (let i = 1; i <= 256; i++) execute(set(0, i));
    expect(state.isKept).toBe(false);
    expect([set(0, 256), set(0, 256)].map(execute)).toEqual([false, false]);
    for (let i = 1; i < 64; i++) {
      state.selected(encoder);
      expect(state.isKept).toBe(false);
    }
    state.selected(encoder);
    expect([set(0, 256), set(0, 256)].map(execute)).toEqual([false, true]);
  });

  it('is compared on where one in eight repeats', () => {
    for (let i = 0; i < 10_000; i++) {
      execute(set(0, i * 2 + 1));
      if (i % 4 === 0) execute(set(0, i * 2 + 1));
    }
    expect(state.isKept).toBe(true);
  });

  it('of one that has ended is never kept, whether it was compared when it ended or not', () => {
    const others = {};
    for (const compared of [true, false]) {
      if (!compared) for (let i = 1; i <= 256; i++) execute(set(0, i));
      expect(state.isKept).toBe(compared);
      state.executed(record(encodeRenderPassEncoderEnd).opcode, encoder);
      for (let i = 0; i < 200; i++) {
        state.selected(others);
        state.selected(encoder);
        expect(state.isKept).toBe(false);
      }
      encoder = {};
      state.selected(encoder);
    }
  });
});
