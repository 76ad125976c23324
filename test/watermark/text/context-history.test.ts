import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ContextHistory } from '../../../src/watermark/text/context-history.ts';

it('says whether one of the steps looked at had the context', () => {
  const context = fc.integer({ min: 0, max: 4 });
  const steps = fc.option(fc.integer({ min: 1, max: 12 }), { nil: Infinity });
  fc.assert(
    fc.property(fc.array(context, { maxLength: 40 }), steps, (contexts, looked) => {
      const history = new ContextHistory(looked);
      const row = Int32Array.from(contexts);
      contexts.forEach((each, step) => {
        const before = contexts.slice(Math.max(0, step - looked), step);
        expect(history.add(row, step, 1)).toBe(!before.includes(each));
      });
      history.clear();
      if (contexts.length > 0) expect(history.add(row, 0, 1)).toBe(true);
    }),
  );
});
