// What crosses the wire beside, or in another form than, the members of WebGPU's own IDL.
//
// An interface "Vesper" + NAME holds the wire forms of members of NAME: the arguments that the guest sends once it has
// applied WebGPU's own conversions, and the reply that it gets. A member without a wire form is sent as it is declared.
// A member that returns a Promise is a request; the promise's type is the payload of its reply.

// The stream itself.
interface VesperStream {
    // Announces bulk data for the next command; bulkChunk records with that many bytes follow.
    undefined beginBulk(unsigned long byteLength);
    undefined bulkChunk(ArrayBuffer data);

    // The id of the encoder, pass or bundle encoder that the following commands of an encoder go to.
    undefined selectEncoder(unsigned long encoder);

    // The guest holds these ids no longer. The objects live on as long as others need them.
    undefined release(sequence<unsigned long> ids);

    // Reports an error that only the guest can see, in the error scope that is open at this point of the stream.
    undefined injectError(GPUDevice device, GPUErrorFilter type, USVString message);

    // Makes a narrower capability for a sandbox within the guest: policy is a role, as policy files have them, in JSON.
    // The budgets that it names are carved out of this session's.
    Promise<VesperCapability> attenuate(USVString policy);

    // Event: the host's memory has grown. The guest collects what its program has dropped, if it can, and so releases it.
    undefined collect();

    // Event: the host ends the session, and why. offset is in bytes, -1 outside of a frame; opcode is -1 outside of a record.
    undefined ended(DOMString reason, USVString detail, long offset, long opcode);
};

// What a connection shows in its hello to be the one that may have it: a secret, good for one connection.
dictionary VesperCapability {
    required DOMString token;
};

// Why a request failed: name is that of the exception, such as "OperationError".
dictionary VesperFailure {
    required DOMString name;
    USVString message = "";
    GPUPipelineErrorReason reason;
};

interface VesperGPUObjectBase {
    undefined label(USVString label);
};

interface VesperGPU {
    Promise<VesperAdapterReply> requestAdapter(GPURequestAdapterOptions options);
};

dictionary VesperAdapterInfo {
    DOMString vendor = "";
    DOMString architecture = "";
    DOMString device = "";
    DOMString description = "";
    unsigned long subgroupMinSize = 0;
    unsigned long subgroupMaxSize = 0;
    boolean isFallbackAdapter = false;
};

// What an adapter or a device can do, as the host reports it. Unknown names are for newer guests.
dictionary VesperCapabilities {
    required sequence<DOMString> features;
    required record<DOMString, unsigned long long> limits;
    required VesperAdapterInfo info;
};

// Without an adapter, requestAdapter() resolves to null and the id that it sent stays unbound.
dictionary VesperAdapterReply {
    VesperCapabilities adapter;
};

interface VesperGPUAdapter {
    Promise<VesperCapabilities> requestDevice(GPUDeviceDescriptor descriptor);
};

interface VesperGPUDevice {
    Promise<undefined> createComputePipelineAsync(GPUComputePipelineDescriptor descriptor);
    Promise<undefined> createRenderPipelineAsync(GPURenderPipelineDescriptor descriptor);
    Promise<VesperErrorReply> popErrorScope();

    // Event: the device is lost. Sent once.
    undefined lost(GPUDeviceLostReason reason, USVString message);

    // Event: an error that no scope caught.
    undefined onuncapturederror(GPUErrorFilter type, USVString message);
};

dictionary VesperError {
    required GPUErrorFilter type;
    USVString message = "";
};

dictionary VesperErrorReply {
    VesperError error;
};

// A part of a mapped range that the program may have written to.
dictionary VesperMappedWrite {
    required GPUSize64 offset;
    required AllowSharedBufferSource data;
};

// The contents of a range that was mapped for reading; nothing where it was mapped for writing.
dictionary VesperMapReply {
    AllowSharedBufferSource data;
};

interface VesperGPUBuffer {
    Promise<VesperMapReply> mapAsync(GPUMapModeFlags mode, GPUSize64 offset, optional GPUSize64 size);
    undefined unmap(optional sequence<VesperMappedWrite> writes = []);
};

// Positions are in UTF-16 code units, as WebGPU gives them.
dictionary VesperCompilationMessage {
    USVString message = "";
    required GPUCompilationMessageType type;
    unsigned long long lineNum = 0;
    unsigned long long linePos = 0;
    unsigned long long offset = 0;
    unsigned long long length = 0;
};

dictionary VesperCompilationInfo {
    required sequence<VesperCompilationMessage> messages;
};

interface VesperGPUShaderModule {
    Promise<VesperCompilationInfo> getCompilationInfo();
};

interface VesperGPUCommandEncoder {
    undefined copyBufferToBuffer(
        GPUBuffer source,
        GPUSize64 sourceOffset,
        GPUBuffer destination,
        GPUSize64 destinationOffset,
        optional GPUSize64 size);
};

interface VesperGPUBindingCommandsMixin {
    undefined setBindGroup(GPUIndex32 index, GPUBindGroup? bindGroup,
        optional sequence<GPUBufferDynamicOffset> dynamicOffsets = []);
    undefined setImmediates(GPUSize32 rangeOffset, AllowSharedBufferSource data);
};

interface VesperGPUQueue {
    undefined writeBuffer(GPUBuffer buffer, GPUSize64 bufferOffset, AllowSharedBufferSource data);

    // data and dataLayout are cut to what the copy needs, where the guest can tell.
    undefined writeTexture(
        GPUTexelCopyTextureInfo destination,
        GPUTexelCopyBufferLayout dataLayout,
        GPUExtent3D size,
        AllowSharedBufferSource data);
};
