/**
 * Replaces values by their Walsh-Hadamard transform, in place: element t becomes the sum over h of
 * value h times (-1)^<t, h>, with <t, h> the parity of the bits that t and h share (Fino and Algazi
 * 1976). Two levels go in one pass.
 *
 * @param values a power of two of them, whose absolute values sum to less than 2^31
 */
export function walshHadamard(values: Int32Array): void {
  let stride = 1;
  for (; 4 * stride <= values.length; stride *= 4) transformTwoLevels(values, stride);
  if (stride < values.length) transformLevel(values, stride);
}

function transformTwoLevels(values: Int32Array, stride: number): void {
  for (let start = 0; start < values.length; start += 4 * stride) {
    for (let at = start; at < start + stride; at++) {
      const first = values[at]!;
      const second = values[at + stride]!;
      const third = values[at + 2 * stride]!;
      const fourth = values[at + 3 * stride]!;
      const sum = (first + second) | 0;
      const difference = (first - second) | 0;
      const laterSum = (third + fourth) | 0;
      const laterDifference = (third - fourth) | 0;
      values[at] = sum + laterSum;
      values[at + stride] = difference + laterDifference;
      values[at + 2 * stride] = sum - laterSum;
      values[at + 3 * stride] = difference - laterDifference;
    }
  }
}

function transformLevel(values: Int32Array, stride: number): void {
  for (let at = 0; at < stride; at++) {
    const first = values[at]!;
    const second = values[at + stride]!;
    values[at] = first + second;
    values[at + stride] = first - second;
  }
}
