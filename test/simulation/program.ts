import { createHash } from 'node:crypto';
import { connect } from '@vesper-gpu/guest';
import type { Transport } from '@vesper-gpu/wire';
import { Random } from './random.ts';

/** What became of each step of a program. */
export interface Log {
  /** In order of the steps: what it gave, or the name of its error. */
  outcomes: string[];
  /** Everything that the program waited for has come. */
  isOver: boolean;
}

const MAP_READ = 1;
const MAP_WRITE = 2;
const COPY_SRC = 4;
const COPY_DST = 8;

/**
 * Runs a small program that depends on its seed alone: when an answer comes does not change what it does.
 * @param drop told of objects that the program holds no longer.
 */
export async function runProgram(
  seed: number,
  transport: Transport,
  drop: (holder: object) => void,
  log: Log,
): Promise<void> {
  try {
    const connection = await connect(transport);
    await new Program(seed, drop, log).run(connection.gpu);
    await connection.close();
    log.outcomes.push('closed');
  } catch (error) {
    log.outcomes.push(`ended: ${(error as Error).name}`);
  }
  log.isOver = true;
}

class Program {
  readonly #random: Random;
  readonly #drop: (holder: object) => void;
  readonly #log: Log;
  readonly #later: Promise<void>[] = [];
  readonly #buffers: GPUBuffer[] = [];
  #device!: GPUDevice;
  #uncaptured = 0;

  constructor(seed: number, drop: (holder: object) => void, log: Log) {
    this.#random = new Random(seed);
    this.#drop = drop;
    this.#log = log;
  }

  async run(gpu: GPU): Promise<void> {
    for (let devices = this.#random.between(1, 2); devices > 0; devices--) {
      const device = await this.#newDevice(gpu);
      if (device === undefined) return;
      this.#device = device;
      this.#buffers.length = 0;
      for (let steps = this.#random.between(5, 25); steps > 0; steps--) await this.#step();
      await Promise.all(this.#later.splice(0));
      // Errors come before the answer to what was asked behind them.
      await device.queue.onSubmittedWorkDone();
      this.#log.outcomes.push(`uncaptured: ${this.#uncaptured}`);
      await this.#endDevice();
    }
  }

  async #newDevice(gpu: GPU): Promise<GPUDevice | undefined> {
    const adapter = await gpu.requestAdapter();
    this.#log.outcomes.push(adapter === null ? 'no adapter' : 'an adapter');
    const device = await adapter?.requestDevice();
    device?.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#uncaptured++;
    });
    return device;
  }

  async #endDevice(): Promise<void> {
    const device = this.#device;
    if (this.#random.oneIn(3)) return;
    device.destroy();
    if (this.#random.oneIn(2)) this.#keep(device.queue.onSubmittedWorkDone(), () => 'done');
    const { reason } = await device.lost;
    this.#log.outcomes.push(`lost: ${reason}`);
    for (const buffer of this.#buffers.splice(0)) this.#drop(buffer);
    await Promise.all(this.#later.splice(0));
  }

  /** Writes down what comes of a promise, in the place of its step. */
  #keep<T>(promise: Promise<T>, tell: (value: T) => string): Promise<void> {
    const { outcomes } = this.#log;
    const place = outcomes.push('pending') - 1;
    return promise.then(
      (value) => void (outcomes[place] = tell(value)),
      (error: Error) => void (outcomes[place] = error.name),
    );
  }

  async #step(): Promise<void> {
    if (this.#random.oneIn(10)) return this.#mapWrite();
    const kept = this.#act();
    if (kept === undefined) return;
    if (this.#random.oneIn(2)) await kept;
    else this.#later.push(kept);
  }

  #act(): Promise<void> | undefined {
    const device = this.#device;
    const random = this.#random;
    switch (random.below(10)) {
      case 0:
      case 1:
        return this.#write();
      case 2:
        return this.#readBack();
      case 3:
      case 4:
        return this.#keep(device.queue.onSubmittedWorkDone(), () => 'done');
      case 5: {
        device.pushErrorScope('validation');
        if (random.oneIn(2)) this.#drop(device.createBuffer({ label: `${random.below(100)}`, size: 4, usage: 0 }));
        return this.#keep(device.popErrorScope(), (error) => error?.message ?? 'no error');
      }
      case 6:
        for (let count = random.below(4); count > 0; count--)
          this.#drop(device.createBuffer({ label: 'x'.repeat(random.below(300)), size: 4, usage: 0 }));
        return undefined;
      case 7: {
        const module = device.createShaderModule({ code: `// ${random.u32()}` });
        const compute = { module };
        if (random.oneIn(2))
          return this.#keep(module.getCompilationInfo(), ({ messages }) => messages[0]?.message ?? 'no message').then(
            () => this.#drop(module),
          );
        return this.#keep(
          device.createComputePipelineAsync({ layout: 'auto', compute }).then((pipeline) => this.#drop(pipeline)),
          () => 'a pipeline',
        );
      }
      case 8: {
        const buffer = this.#buffers.pop();
        if (buffer === undefined) return undefined;
        if (random.oneIn(2)) buffer.destroy();
        this.#drop(buffer);
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #bytes(size: number): Uint8Array<ArrayBuffer> {
    const start = this.#random.u32();
    const bytes = new Uint8Array(size);
    for (let index = 0; index < size; index++) bytes[index] = start + index * 7;
    return bytes;
  }

  #size(): number {
    if (this.#random.oneIn(150)) return (1 << 20) + 4 * this.#random.below(100);
    return 4 * this.#random.between(1, this.#random.oneIn(6) ? 40_000 : 64);
  }

  #write(): undefined {
    const size = this.#size();
    const buffer = this.#device.createBuffer({ size, usage: COPY_SRC | COPY_DST });
    this.#device.queue.writeBuffer(buffer, 0, this.#bytes(size));
    this.#buffers.push(buffer);
  }

  #readBack(): Promise<void> | undefined {
    const source = this.#buffers.at(-1);
    if (source === undefined) return undefined;
    const device = this.#device;
    const { size } = source;
    const staging = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, size);
    const commands = encoder.finish();
    device.queue.submit([commands]);
    this.#drop(encoder);
    this.#drop(commands);
    const read = staging.mapAsync(MAP_READ).then(() => {
      const bytes = Buffer.from(staging.getMappedRange());
      return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    });
    return this.#keep(read, (hash) => hash).then(() => this.#drop(staging));
  }

  /** Always awaited: what is written behind the map stands at one place of the stream. */
  async #mapWrite(): Promise<void> {
    const size = 4 * this.#random.between(1, 64);
    const data = this.#bytes(size);
    const buffer = this.#device.createBuffer({ size, usage: MAP_WRITE | COPY_SRC });
    const written = buffer.mapAsync(MAP_WRITE).then(() => {
      new Uint8Array(buffer.getMappedRange()).set(data);
      buffer.unmap();
      this.#buffers.push(buffer);
      return 'written';
    });
    await this.#keep(written, String);
  }
}
