const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Returns numbers as float32, little-endian, in base64. */
export function packFloats(values: ArrayLike<number>): string {
  return littleEndian(Buffer.from(Float32Array.from(values).buffer), 4).toString('base64');
}

/** Reads what `packFloats` wrote. @throws RangeError for bytes that are no whole numbers */
export function unpackFloats(text: string): Float32Array<ArrayBuffer> {
  return new Float32Array(bytesOf(text, 4));
}

/** Returns whole numbers in -32768..32767 as int16, little-endian, in base64. */
export function packIntegers(values: ArrayLike<number>): string {
  return littleEndian(Buffer.from(Int16Array.from(values).buffer), 2).toString('base64');
}

/** Reads what `packIntegers` wrote. @throws RangeError for bytes that are no whole numbers */
export function unpackIntegers(text: string): Int16Array<ArrayBuffer> {
  return new Int16Array(bytesOf(text, 2));
}

function bytesOf(text: string, size: 2 | 4): ArrayBuffer {
  return new Uint8Array(littleEndian(Buffer.from(text, 'base64'), size)).buffer;
}

/** Turns numbers between the order of this machine and little-endian, in place. */
function littleEndian(bytes: Buffer, size: 2 | 4): Buffer {
  if (isLittleEndian) return bytes;
  return size === 2 ? bytes.swap16() : bytes.swap32();
}
