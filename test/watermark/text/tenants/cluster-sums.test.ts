import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/stats/sampling.ts';
import { ClusterSums } from '../../../../src/watermark/text/tenants/cluster-sums.ts';

describe('cluster sums', () => {
  it.each([1, 2, 5])('over contexts of %i tokens are those of a plain map', (width) => {
    const random = seededRandom(`clusters ${width}`);
    const sums = new ClusterSums(width);
    const expected = new Map<string, { draw: number; sum: number }>();
    for (let turn = 0; turn < 20_000; turn++) {
      const contexts = Int32Array.from({ length: 3 * width }, () => random.integer(12));
      const block = random.integer(8);
      const sign = random.integer(2) === 0 ? 1 : -1;
      const name = `${contexts.slice(width, 2 * width).join()}/${block}`;
      const cluster = expected.get(name) ?? { draw: expected.size, sum: 0 };
      cluster.sum += sign;
      expected.set(name, cluster);
      sums.add(contexts, width, block, cluster.draw, sign);
    }
    expect(sums.count).toBe(expected.size);
    expect([...sums.draws]).toEqual([...expected.values()].map(({ draw }) => draw));
    expect([...sums.sums]).toEqual([...expected.values()].map(({ sum }) => sum));
  });
});
