import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Solitude } from '../../src/audit/solitude.ts';

it('lets work go on together, and each work that is to be alone without any other', async () => {
  const solitude = new Solitude();
  const under: string[] = [];
  let most = 0;
  const work = (name: string) => async () => {
    under.push(name);
    most = Math.max(most, under.length);
    if (name.startsWith('alone')) expect(under).toEqual([name]);
    await setTimeout(2);
    if (name.startsWith('alone')) expect(under).toEqual([name]);
    under.splice(under.indexOf(name), 1);
    return name;
  };
  const names = Array.from(
    { length: 30 },
    (_, index) => `${index % 7 ? 'some' : 'alone'} ${index}`,
  );
  const done = await Promise.all(
    names.map((name) =>
      name.startsWith('alone') ? solitude.alone(work(name)) : solitude.together(work(name)),
    ),
  );
  expect(done).toEqual(names);
  expect(most).toBeGreaterThan(3);
  expect(solitude.isSought).toBe(false);
});

it('goes on after work that failed', async () => {
  const solitude = new Solitude();
  const fail = () => Promise.reject(new RangeError('no'));
  const both = await Promise.allSettled([solitude.together(fail), solitude.alone(fail)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await solitude.over();
  expect(await solitude.alone(async () => 1)).toBe(1);
  expect(await solitude.together(async () => 2)).toBe(2);
});
