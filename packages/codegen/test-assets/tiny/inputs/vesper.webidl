interface VesperStream {
    undefined beginBulk(unsigned long byteLength);
    undefined bulkChunk(ArrayBuffer data);
    undefined release(sequence<unsigned long> ids);
    undefined ended(DOMString reason, long offset);
};

dictionary VesperFailure {
    required DOMString name;
    USVString message = "";
};

dictionary VesperDeviceReply {
    required sequence<DOMString> features;
    record<DOMString, unsigned long long> limits;
};

interface VesperGPUObjectBase {
    undefined label(USVString label);
};

interface VesperGPUDevice {
    Promise<VesperDeviceReply> done();
};
