import { isInvalid, NullObject, type NullLog, type NullScopes } from './null-objects.ts';

/** What encoders and passes have in common: a command with an invalid argument makes them invalid, silently. */
class NullCommands extends NullObject {
  readonly scopes: NullScopes;

  constructor(log: NullLog, scopes: NullScopes) {
    super(log, []);
    this.scopes = scopes;
  }

  command(name: string, args: readonly unknown[]): void {
    this.log(name, args);
    if (args.some(isInvalid)) this.isInvalid = true;
  }

  /** What was recorded; an error is reported only now. */
  done(name: string, args: readonly unknown[]): NullObject {
    this.command(name, args);
    if (this.isInvalid) this.scopes.report('validation', `${name}: the encoder is invalid`);
    return new NullObject(this.logOf, [this]);
  }

  pushDebugGroup(...args: unknown[]): void {
    this.command('pushDebugGroup', args);
  }

  popDebugGroup(): void {
    this.command('popDebugGroup', []);
  }

  insertDebugMarker(...args: unknown[]): void {
    this.command('insertDebugMarker', args);
  }
}

/** A compute pass, a render pass and a render bundle encoder in one: the host cannot tell, the schema does. */
export class NullPass extends NullCommands {
  readonly #encoder: NullEncoder | undefined;

  constructor(log: NullLog, scopes: NullScopes, encoder: NullEncoder | undefined) {
    super(log, scopes);
    this.#encoder = encoder;
  }

  override command(name: string, args: readonly unknown[]): void {
    super.command(name, args);
    if (this.isInvalid && this.#encoder !== undefined) this.#encoder.isInvalid = true;
  }

  setBindGroup(...args: unknown[]): void {
    if (args[0] === 0xffff_ffff) this.isInvalid = true;
    this.command('setBindGroup', args);
  }

  setImmediates(...args: unknown[]): void {
    this.command('setImmediates', args);
  }

  setPipeline(...args: unknown[]): void {
    this.command('setPipeline', args);
  }

  dispatchWorkgroups(...args: unknown[]): void {
    this.command('dispatchWorkgroups', args);
  }

  dispatchWorkgroupsIndirect(...args: unknown[]): void {
    this.command('dispatchWorkgroupsIndirect', args);
  }

  setViewport(...args: unknown[]): void {
    this.command('setViewport', args);
  }

  setScissorRect(...args: unknown[]): void {
    this.command('setScissorRect', args);
  }

  setBlendConstant(...args: unknown[]): void {
    this.command('setBlendConstant', args);
  }

  setStencilReference(...args: unknown[]): void {
    this.command('setStencilReference', args);
  }

  beginOcclusionQuery(...args: unknown[]): void {
    this.command('beginOcclusionQuery', args);
  }

  endOcclusionQuery(): void {
    this.command('endOcclusionQuery', []);
  }

  executeBundles(...args: unknown[]): void {
    this.command('executeBundles', args);
  }

  setIndexBuffer(...args: unknown[]): void {
    this.command('setIndexBuffer', args);
  }

  setVertexBuffer(...args: unknown[]): void {
    this.command('setVertexBuffer', args);
  }

  draw(...args: unknown[]): void {
    this.command('draw', args);
  }

  drawIndexed(...args: unknown[]): void {
    this.command('drawIndexed', args);
  }

  drawIndirect(...args: unknown[]): void {
    this.command('drawIndirect', args);
  }

  drawIndexedIndirect(...args: unknown[]): void {
    this.command('drawIndexedIndirect', args);
  }

  end(): void {
    this.command('end', []);
  }

  finish(descriptor?: object): NullObject {
    return this.done('bundle.finish', [descriptor]);
  }
}

export class NullEncoder extends NullCommands {
  beginRenderPass(...args: unknown[]): NullPass {
    this.command('beginRenderPass', args);
    const pass = new NullPass(this.logOf, this.scopes, this);
    const { colorAttachments, depthStencilAttachment } = args[0] as Record<string, unknown>;
    // No attachment at all: what the host makes an invalid pass of.
    if ((colorAttachments as unknown[]).length === 0 && depthStencilAttachment === undefined) {
      this.isInvalid = true;
      pass.isInvalid = true;
    }
    return pass;
  }

  beginComputePass(...args: unknown[]): NullPass {
    this.command('beginComputePass', args);
    return new NullPass(this.logOf, this.scopes, this);
  }

  copyBufferToBuffer(...args: unknown[]): void {
    this.command('copyBufferToBuffer', args);
  }

  copyBufferToTexture(...args: unknown[]): void {
    this.command('copyBufferToTexture', args);
  }

  copyTextureToBuffer(...args: unknown[]): void {
    this.command('copyTextureToBuffer', args);
  }

  copyTextureToTexture(...args: unknown[]): void {
    this.command('copyTextureToTexture', args);
  }

  clearBuffer(...args: unknown[]): void {
    this.command('clearBuffer', args);
  }

  resolveQuerySet(...args: unknown[]): void {
    this.command('resolveQuerySet', args);
  }

  finish(descriptor?: object): NullObject {
    return this.done('finish', [descriptor]);
  }
}
