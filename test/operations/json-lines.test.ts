import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { mapJsonLines, mostLineBytes } from '../../src/operations/json-lines.ts';
import { gather, piecesOf, streamOf } from './watermark-scene.ts';

const echo = (value: unknown, line: number) => ({ line, value });

async function outcomes(bytes: Uint8Array, pieceBytes: number) {
  const stream = { ...streamOf([]), source: piecesOf(bytes, pieceBytes) };
  return { results: await gather(mapJsonLines(stream, echo)), counts: stream.counts };
}

describe('JSON lines', () => {
  it('come in order with their numbers, whatever the pieces, and blank ones are skipped', async () => {
    const text = Buffer.from('{"a":1}\r\n\n  \n"é中"\n[2]');
    for (let size = 1; size <= text.length; size++) {
      const { results, counts } = await outcomes(text, size);
      expect(results).toEqual([
        { line: 1, value: { a: 1 } },
        { line: 4, value: 'é中' },
        { line: 5, value: [2] },
      ]);
      expect(counts).toEqual({ lines: 3, failed: 0 });
    }
  });

  it('fail one by one, with their id where it can be read', async () => {
    const stream = streamOf(['{', { id: 'x' }, { id: 5 }, { id: {} }, 3]);
    const refuse = (value: unknown) => {
      if (value === 3) return {};
      throw new TouchmarkError('INPUT_INVALID', 'no', { hint: 'why' });
    };
    const error = { code: 'INPUT_INVALID', message: 'no', hint: 'why' };
    expect(await gather(mapJsonLines(stream, refuse))).toEqual([
      { line: 1, error: expect.objectContaining({ message: 'The line is not valid JSON.' }) },
      { line: 2, id: 'x', error },
      { line: 3, id: 5, error },
      { line: 4, error },
      {},
    ]);
    expect(stream.counts).toEqual({ lines: 5, failed: 4 });
  });

  it('never end the work, whatever bytes come', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.oneof(fc.json(), fc.string(), fc.constantFrom('\n', '\ufeff')))
        .map((parts) => Buffer.from(parts.join('\n'))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 64 }), async (given, size) => {
        const whole = await outcomes(given, given.length + 1);
        expect(await outcomes(given, size)).toEqual(whole);
        expect(whole.counts.failed).toBe(whole.results.filter((each) => 'error' in each).length);
        expect(whole.counts.lines).toBe(whole.results.length);
      }),
    );
  });

  it('are bounded, and the next one is read again', async () => {
    async function* source() {
      const piece = Buffer.alloc(1 << 20, 'x');
      for (let bytes = 0; bytes <= mostLineBytes; bytes += piece.length) yield piece;
      yield Buffer.from('\n1\n');
    }
    const results = await gather(mapJsonLines({ ...streamOf([]), source: source() }, echo));
    expect(results).toMatchObject([
      { line: 1, error: { message: expect.stringContaining('longer than') } },
      { line: 2, value: 1 },
    ]);
  });

  it('refuse what is not UTF-8', async () => {
    const { results } = await outcomes(Buffer.from([0x22, 0xff, 0x22]), 10);
    expect(results).toMatchObject([{ error: { message: 'The line is not valid UTF-8.' } }]);
  });

  it('stop at a signal, with its reason', async () => {
    const reason = new TouchmarkError('INTERRUPTED', 'enough');
    const stream = { ...streamOf([1, 2]), signal: AbortSignal.abort(reason) };
    await expect(gather(mapJsonLines(stream, echo))).rejects.toBe(reason);
  });

  it('let bugs through', async () => {
    const bug = () => {
      throw new RangeError('a bug');
    };
    await expect(gather(mapJsonLines(streamOf([1]), bug))).rejects.toThrow(RangeError);
  });
});
