/** Anchors of the WebGPU specification; extensions point at idl/vesper.webidl. */
const SPEC = 'https://www.w3.org/TR/webgpu/';
const EXTENSIONS = 'idl/vesper.webidl';

export function interfaceAnchor(name: string): string {
  return name.startsWith('Vesper') ? EXTENSIONS : `${SPEC}#${name.toLowerCase()}`;
}

export function dictionaryAnchor(name: string): string {
  return name.startsWith('Vesper') ? EXTENSIONS : `${SPEC}#dictdef-${name.toLowerCase()}`;
}

export function enumAnchor(name: string): string {
  return `${SPEC}#enumdef-${name.toLowerCase()}`;
}

export function memberAnchor(owner: string, member: string): string {
  return owner.startsWith('Vesper') ? EXTENSIONS : `${SPEC}#dom-${owner.toLowerCase()}-${member.toLowerCase()}`;
}
