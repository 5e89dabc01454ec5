import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PATTERN_BYTES } from './samples.ts';

/** As strict as a guest's build may be. */
const FLAGS = ['-std=c11', '-O0', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror'];

/** The C compiler. @throws Error that says what to install. */
export function compiler(): string {
  const cc = process.env['CC'] ?? 'gcc';
  if (spawnSync(cc, ['--version']).status !== 0) throw new Error(`${cc} not found: install gcc or set CC`);
  return cc;
}

/** What a further compiler has to say of the encoders of `folder`; nothing where it is not installed. */
export function warnings(cc: string, folder: string): string {
  if (spawnSync(cc, ['--version']).status !== 0) return '';
  return spawnSync(cc, [...FLAGS, '-fsyntax-only', join(folder, 'vesper_protocol.c')], { encoding: 'utf8' }).stderr;
}

/** Builds a program that calls the encoders of `folder`. @returns its path. */
export function build(cc: string, folder: string, main: string): string {
  const out = mkdtempSync(join(tmpdir(), 'vesper-c-'));
  writeFileSync(join(out, 'main.c'), main);
  const program = join(out, 'main');
  const sources = [join(folder, 'vesper_protocol.c'), join(out, 'main.c')];
  const { status, stderr } = spawnSync(cc, [...FLAGS, `-I${folder}`, ...sources, '-o', program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${cc} refused the generated C:\n${stderr.slice(0, 4000)}`);
  return program;
}

/** Deletes a program, and the folder that it was built in. */
export function remove(program: string): void {
  rmSync(dirname(program), { recursive: true });
}

/** What a program printed. */
export function output(program: string, ...args: string[]): Buffer {
  return execFileSync(program, args, { maxBuffer: 1 << 30 });
}

/**
 * A program with a function for each call. Its first argument says what it prints: `each` a frame a call, `stream` one
 * stream of frames, `failing` what becomes of a writer with little memory after the statements `failing`. The second
 * is the host's revision.
 */
export function mainProgram(calls: readonly string[], failing: string): string {
  return `#include "vesper_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t pattern[${PATTERN_BYTES}];

static inline float f32(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline double f64(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void *grow(void *context, void *bytes, size_t size) {
  (void)context;
  return realloc(bytes, size);
}

static void *no_memory(void *context, void *bytes, size_t size) {
  (void)context;
  return size > 4096 ? NULL : realloc(bytes, size);
}

static void print_frame(void *context, vesper_writer *w) {
  size_t size;
  const uint8_t *bytes = vesper_take_frame(w, &size);
  (void)context;
  if (bytes != NULL) fwrite(bytes, 1, size, stdout);
}

${calls.map((call, index) => `static void call_${index}(vesper_writer *w) { ${call} }`).join('\n')}

static void (*const calls[])(vesper_writer *) = {
${calls.map((_, index) => `  call_${index},`).join('\n')}
};

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "each";
  vesper_writer w;
  for (size_t i = 0; i < sizeof pattern; i++) pattern[i] = (uint8_t)((i * 31 + (i >> 8)) & 0xff);
  const uint32_t revision = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : UINT32_MAX;
  if (strcmp(mode, "failing") == 0) {
    vesper_writer_init(&w, no_memory, NULL, NULL);
    w.revision = revision;
    ${failing}
    size_t size;
    const uint8_t *frame = vesper_take_frame(&w, &size);
    printf("%d %d %d\\n", (int)w.status, frame == NULL, size == 0);
    free(w.bytes);
    return 0;
  }
  vesper_writer_init(&w, grow, strcmp(mode, "stream") == 0 ? print_frame : NULL, NULL);
  w.revision = revision;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    calls[i](&w);
    if (strcmp(mode, "each") == 0) print_frame(NULL, &w);
  }
  print_frame(NULL, &w);
  free(w.bytes);
  return w.status == VESPER_OK ? 0 : 1;
}
`;
}

/** Index of the first byte that differs, or -1. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.byteLength, b.byteLength);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return -1;
}
