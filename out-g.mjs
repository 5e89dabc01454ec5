const t=performance.now();
const a = await navigator.gpu.requestAdapter(); const t1=performance.now(); const d = await a.requestDevice(); 
const b = d.createBuffer({size:16, usage: GPUBufferUsage.COPY_DST|GPUBufferUsage.MAP_READ}); d.queue.writeBuffer(b,0,new Uint32Array([1,2,3,4])); await b.mapAsync(GPUMapMode.READ); console.log(new Uint32Array(b.getMappedRange()).join(), a.info.description, (t1-t).toFixed(), (performance.now()-t1).toFixed());
