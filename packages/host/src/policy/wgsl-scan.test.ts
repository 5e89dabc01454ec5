import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanWgsl } from './wgsl-scan.ts';

/** Functions 0…n−1; each lists the functions before it that it calls. */
const graphs = fc
  .integer({ min: 1, max: 9 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        index === 0 ? fc.constant([]) : fc.array(fc.nat({ max: index - 1 }), { maxLength: 4 }),
      ),
    ),
  );

/** Expands calls as a compiler that inlines everything does. */
function countNaively(graph: readonly number[][], index: number): number {
  return graph[index]!.reduce((sum, callee) => sum + 1 + countNaively(graph, callee), 0);
}

/** The tokens of a module with that call graph; `order` is the order of the declarations. */
function tokensOf(graph: readonly number[][], name: (index: number) => string, order: readonly number[]): string[] {
  return order.flatMap((index) => {
    const calls = graph[index]!.map((callee) => `y += ${name(callee)} ( max ( x , 1.5e3f ) ) ;`);
    const head = `@ must_use fn ${name(index)} ( x : f32 ) -> f32 { var y = 0x1f ;`;
    return [head, ...calls, 'return y / 2 ; }'].join(' ').split(' ');
  });
}

const blank = fc.constantFrom(' ', '\n', '\t', '\r\n', '\u0085', '\u200e', '\u2028', '/**/', '/* fn a(){ b( */');
const comment = fc.constantFrom('/* a /* b( */ fn c */', '/*/ a( */', '// fn a(){ b( /*\n', '//*\u2029', '/***/');
const gap = fc.array(fc.oneof(blank, comment), { minLength: 1, maxLength: 3 }).map((parts) => ` ${parts.join('')}`);

describe('scanWgsl', () => {
  it('counts what a naive expansion counts, in any order of declarations', () => {
    const cases = graphs.chain((graph) =>
      fc.tuple(fc.constant(graph), fc.shuffledSubarray([...graph.keys()], { minLength: graph.length })),
    );
    fc.assert(
      fc.property(cases, fc.constantFrom('f', 'größe', '𝒻', '_', 'fn'), ([graph, order], stem) => {
        const code = tokensOf(graph, (index) => `${stem}${index}`, order).join(' ');
        const expandedCalls = Math.max(...graph.map((_, index) => countNaively(graph, index)));
        expect(scanWgsl(code)).toEqual({
          bytes: new TextEncoder().encode(code).length,
          functions: graph.length,
          expandedCalls,
        });
      }),
    );
  });

  it('is not moved by blanks and comments', () => {
    const cases = graphs.chain((graph) => {
      const tokens = tokensOf(graph, (index) => `f${index}`, [...graph.keys()]);
      return fc.tuple(fc.constant(tokens), fc.array(gap, { minLength: tokens.length, maxLength: tokens.length }));
    });
    fc.assert(
      fc.property(cases, ([tokens, gaps]) => {
        const { functions, expandedCalls } = scanWgsl(tokens.join(' '));
        const padded = tokens.map((token, index) => token + gaps[index]!).join('');
        expect(scanWgsl(padded)).toMatchObject({ functions, expandedCalls });
      }),
    );
  });

  it('gives bytes as an encoder counts them, and never throws', () => {
    const fragments = fc.constantFrom(
      'fn ',
      'a',
      '(',
      '/*',
      '*/',
      '//',
      '\n',
      '@',
      'a(',
      '1',
      '\ud800',
      '𝒻',
      '}',
      'é',
      '€',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(fragments, fc.string({ unit: 'binary' }))), (parts) => {
        const code = parts.join('');
        const cost = scanWgsl(code);
        expect(cost.bytes).toBe(new TextEncoder().encode(code).length);
        expect(cost.expandedCalls).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('takes neither attributes, members of numbers, nor keywords for calls', () => {
    const code = `
      fn location(x: f32) -> @location(0) vec4f { if (x > 1) { return vec4f(); } return vec4f(1f, 0x1p2, 2.e1, x); }
      @compute @workgroup_size(64) fn size(@builtin(position) p: vec4f) { for (var i = 0u; i < 2u; i++) {} }
      fn builtin() {}`;
    expect(scanWgsl(code)).toMatchObject({ functions: 3, expandedCalls: 0 });
  });

  it('reports a circle as infinite', () => {
    expect(scanWgsl('fn a() { a(); }').expandedCalls).toBe(Infinity);
    expect(scanWgsl('fn a() { b(); } fn b() { c(); } fn c() { b(); } fn d() {}').expandedCalls).toBe(Infinity);
  });

  it('takes long names that begin alike for one function', () => {
    const stem = 'x'.repeat(600);
    expect(scanWgsl(`fn ${stem}1() {} fn ${stem}2() { } fn f() { ${stem}1(); }`)).toMatchObject({
      functions: 3,
      expandedCalls: 1,
    });
  });

  it('knows the texts that compilers choke on', () => {
    const doubling = Array.from({ length: 16 }, (_, i) =>
      i === 0 ? 'fn f0(x:f32)->f32{return x;}' : `fn f${i}(x:f32)->f32{return f${i - 1}(x)+f${i - 1}(x);}`,
    );
    expect(scanWgsl(doubling.join('\n'))).toMatchObject({ functions: 16, expandedCalls: 2 ** 16 - 2 });
    const chain = Array.from({ length: 20_000 }, (_, i) => (i === 0 ? 'fn f0(){}' : `fn f${i}(){f${i - 1}();}`));
    expect(scanWgsl(chain.join('\n'))).toMatchObject({ functions: 20_000, expandedCalls: 19_999 });
    expect(scanWgsl(chain.toReversed().join('\n'))).toMatchObject({ functions: 20_000, expandedCalls: 19_999 });
    const deep = Array.from({ length: 300 }, (_, i) => `fn f${i}(){${i === 0 ? '' : `f${i - 1}();f${i - 1}();`}}`);
    expect(scanWgsl(deep.join('')).expandedCalls).toBe(2 ** 53);
  });
});

const SIZE = 8 << 20;
const fill = (unit: string): string => unit.repeat(Math.floor(SIZE / unit.length));
const numbered = (unit: (index: number) => string): string => {
  const parts: string[] = [];
  for (let length = 0, index = 0; length < SIZE; index++) length += parts[parts.push(unit(index)) - 1]!.length;
  return parts.join('');
};

describe('scanWgsl on 8 MiB', () => {
  it.each([
    ['open block comments', fill('/*')],
    ['closed block comments', fill('/**/')],
    ['line comments', fill('//\n')],
    ['slashes', fill('/ ')],
    ['parentheses', fill('(')],
    ['braces in a function', `fn f(){${fill('{')}`],
    ['the same function', fill('fn a ')],
    ['functions', numbered((i) => `fn a${i}(){}`)],
    ['calls of one function', `fn a(){} fn b(){${fill('a(')}`],
    ['calls of unknown functions', `fn b(){${numbered((i) => `a${i}(`)}`],
    ['a chain', numbered((i) => `fn a${i}(){a${i + 1}()}`)],
    ['names of 16 KiB', numbered((i) => `fn ${'x'.repeat(16 << 10)}${i}(){}`)],
    ['one name', fill('x')],
    ['blank space', fill(' \u2028')],
    ['surrogates', fill('\ud800')],
  ])('takes %s in linear time', (_, code) => {
    // Under a second each where nothing else runs; anything quadratic takes hours, which the runner does not wait for.
    expect(scanWgsl(code).bytes).toBeGreaterThanOrEqual(code.length);
  });
});
