/** Functions over the values of a tensor, row-major [count, size]. */
export interface Fields {
  readonly count: number;
  readonly values: Float32Array;
}

/**
 * Returns the bilinear hat functions of `knots` x `knots` knots that are spread evenly over an image,
 * the same on all its planes; they sum to 1 everywhere. A tensor that is no image has one function
 * for each value.
 *
 * @param shape [rows, columns], or with at most four planes before or behind
 */
export function smoothFields(shape: readonly number[], knots: number): Fields {
  const size = shape.reduce((product, length) => product * length, 1);
  const image = imageOf(shape);
  if (image === undefined) {
    const values = new Float32Array(size * size);
    for (let at = 0; at < size; at += 1) values[at * size + at] = 1;
    return { count: size, values };
  }
  const { height, width, place } = image;
  const values = new Float32Array(knots * knots * size);
  for (let at = 0; at < size; at += 1) {
    const { row, column } = place(at);
    const [down, right] = [hats(row, height, knots), hats(column, width, knots)];
    for (const [vertical, share] of down) {
      for (const [horizontal, part] of right) {
        values[(vertical * knots + horizontal) * size + at]! += share * part;
      }
    }
  }
  return { count: knots * knots, values };
}

function imageOf(shape: readonly number[]) {
  const [first, second, third] = shape;
  if (first === undefined || second === undefined || shape.length > 3) return undefined;
  if (third === undefined || third <= 4) {
    const planes = third ?? 1;
    const place = (at: number) => {
      const pixel = Math.floor(at / planes);
      return { row: Math.floor(pixel / second), column: pixel % second };
    };
    return { height: first, width: second, place };
  }
  if (first > 4) return undefined;
  const place = (at: number) => {
    const pixel = at % (second * third);
    return { row: Math.floor(pixel / third), column: pixel % third };
  };
  return { height: second, width: third, place };
}

/** The knots on either side of a place, and how much each says there. */
function hats(place: number, length: number, knots: number): [knot: number, share: number][] {
  if (knots < 2 || length < 2) return [[0, 1]];
  const position = (place / (length - 1)) * (knots - 1);
  const left = Math.min(knots - 2, Math.floor(position));
  return [
    [left, 1 - (position - left)],
    [left + 1, position - left],
  ];
}
