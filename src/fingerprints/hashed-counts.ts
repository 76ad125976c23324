/**
 * Returns the bucket of a text: FNV-1a (Fowler, Noll and Vo 1991) over its UTF-16 units, finished as
 * MurmurHash3 is (Appleby 2011) so that all bits reach the bucket.
 *
 * @param buckets a power of two
 */
export function bucketOf(text: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) & (buckets - 1);
}

/** Counts one more occurrence. */
export function countIn(counts: Float64Array, index: number): void {
  counts[index] = counts[index]! + 1;
}

/**
 * Returns how alike two lists of counts are, from -1 to 1: the correlation of their square roots.
 *
 * Square roots make the noise of small and of large counts alike (Bartlett 1936), and their cosine,
 * which is taken here after centring, is the coefficient of Bhattacharyya (1943). How much was
 * counted does not matter. 1 for equal lists; 0 when one of two different ones is constant, such as
 * nothing counted at all.
 */
export function countLikeness(one: Float64Array, two: Float64Array): number {
  const [x, y] = [centredRoots(one), centredRoots(two)];
  const [xy, xx, yy] = [product(x, y), product(x, x), product(y, y)];
  if (xx > 0 && yy > 0) return Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy)));
  return one.every((value, index) => value === two[index]) ? 1 : 0;
}

function centredRoots(counts: Float64Array): Float64Array {
  const roots = counts.map(Math.sqrt);
  if (roots.every((root) => root === roots[0])) return roots.fill(0);
  const mean = roots.reduce((sum, root) => sum + root, 0) / roots.length;
  return roots.map((root) => root - mean);
}

function product(one: Float64Array, two: Float64Array): number {
  return one.reduce((sum, value, index) => sum + value * two[index]!, 0);
}
