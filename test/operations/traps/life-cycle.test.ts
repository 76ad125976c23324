import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { trapLedgerPath } from '../../../src/ledger/trap-ledger.ts';
import { claimTraps, noteRecordsExposed } from '../../../src/operations/traps/claims.ts';
import { rotateTraps } from '../../../src/operations/traps/rotate.ts';
import { openStockedSet, readTrapStock, trapFolders } from '../../../src/operations/traps/stock.ts';
import { retireTrapSet } from '../../../src/operations/traps/stock-writer.ts';
import { activeTraps, type TrapTarget } from '../../../src/traps/stock.ts';
import { quickParent, temporaryDirectory } from '../../ledger/records.ts';
import { fakeSources } from './fake-sources.ts';
import type { Fault, FaultyFiles } from './faulty-files.ts';
import { daysLater, keyRingOf, namesIn, projectIn, servedLog } from './scene.ts';

const faulty = await vi.hoisted(async () => {
  const module = await import('./faulty-files.ts');
  return new module.FaultyFiles() as FaultyFiles;
});
vi.mock('node:fs/promises', async (original) =>
  faulty.wrap(await original<typeof import('node:fs/promises')>()),
);

const keyRing = keyRingOf();
const coin: TrapTarget = { kind: 'coin', tenant: 'acme', epoch: 'e1' };
const region: TrapTarget = { kind: 'region', tenant: null, epoch: null };

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Fault>({ kind: 'none' }) },
  { weight: 4, arbitrary: fc.nat(45).map((after): Fault => ({ kind: 'crash', after })) },
  { weight: 1, arbitrary: fc.nat(45).map((after): Fault => ({ kind: 'full', after })) },
);
const step = fc.record({
  action: fc.oneof(
    { weight: 4, arbitrary: fc.constant('rotate' as const) },
    { weight: 3, arbitrary: fc.constant('claim' as const) },
    { weight: 1, arbitrary: fc.constant('claim-twice' as const) },
    { weight: 1, arbitrary: fc.constantFrom('records' as const, 'retire' as const) },
  ),
  fault,
  days: fc.nat(2),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** One project, what its owner was told, and the promises that must hold after every step. */
class Life {
  readonly #project;
  readonly #shown = new Map<string, string>();
  #inactive: ReadonlySet<string> = new Set();
  #claims: ReadonlySet<string> = new Set();
  #ledger = '';
  #day = 0;
  #audits = 0;

  constructor(directory: string, log: string) {
    this.#project = projectIn(directory, {}, log);
  }

  async take({ action, fault: planned, days }: Step): Promise<void> {
    this.#day += days;
    faulty.plan(planned);
    try {
      await this.#act(action);
    } catch (cause) {
      const isPlanned = TouchmarkError.isInstance(cause) || String(cause).includes('injected');
      if (planned.kind === 'none' || !isPlanned) throw cause;
    }
    faulty.plan({ kind: 'none' });
    await this.#check();
  }

  /** What a last rotation without faults must restore. */
  async restore(): Promise<void> {
    this.#day += 1;
    const { report, failures } = await this.#rotate();
    expect({ status: report.status, failures }).toEqual({ status: 'rotated', failures: [] });
    await this.#check();
    const stock = await readTrapStock(this.#project);
    expect(stock.unnotedClaims).toEqual([]);
    const folders = trapFolders(this.#project);
    expect(namesIn(folders.drafts)).toEqual([]);
    expect(namesIn(folders.sealed)).toHaveLength(stock.sets.length);
    for (const { sealed } of stock.sets) await openStockedSet(folders, keyRing, sealed);
  }

  async #act(action: Step['action']): Promise<void> {
    const now = daysLater(this.#day);
    if (action === 'rotate') await this.#rotate();
    if (action === 'claim') await this.#claim();
    if (action === 'claim-twice') await Promise.all([this.#claim(), this.#claim()]);
    if (action === 'records') {
      const shown = { tenant: 'acme', epoch: 'e1', through: 3, suspect: 's', audit: 'plain' };
      await noteRecordsExposed(this.#project, { ...shown, now });
    }
    if (action === 'retire') {
      const { sets } = await readTrapStock(this.#project);
      const last = sets.at(-1)?.sealed.set;
      if (last !== undefined) await retireTrapSet(this.#project, last, 'revealed', now);
    }
  }

  #rotate() {
    return rotateTraps({
      project: this.#project,
      keyRing,
      sources: fakeSources,
      now: daysLater(this.#day),
      signal: new AbortController().signal,
      progress: () => undefined,
    });
  }

  async #claim(): Promise<void> {
    this.#audits += 1;
    const audit = `audit ${this.#audits}`;
    const targets = [coin, region];
    const whom = { suspect: `suspect ${audit}`, operator: null, audit, now: daysLater(this.#day) };
    const options = { project: this.#project, keyRing, targets, lotsPerAudit: 1, ...whom };
    const { lots } = await claimTraps(options);
    for (const { sealed, lot } of lots) {
      const name = `${sealed.seal.id}/${lot}`;
      expect(this.#shown.get(name), `${name} was shown before`).toBe(undefined);
      expect(this.#inactive.has(name), `${name} was retired before`).toBe(false);
      this.#shown.set(name, audit);
    }
  }

  async #check(): Promise<void> {
    const folders = trapFolders(this.#project);
    const ledger = textOf(trapLedgerPath(folders.ledger));
    expect(ledger.startsWith(this.#ledger), 'the ledger only grows').toBe(true);
    const isRotatedNow = /"event":"rotated".*\n$/.test(ledger.slice(this.#ledger.length));
    this.#ledger = ledger.slice(0, ledger.lastIndexOf('\n') + 1);
    const claims = new Set(namesIn(folders.exposures));
    expect([...this.#claims].filter((name) => !claims.has(name))).toEqual([]);
    this.#claims = claims;
    const stock = await readTrapStock(this.#project);
    const { sets, orphanClaims } = stock;
    expect(orphanClaims).toEqual([]);
    if (isRotatedNow) {
      expect(activeTraps(stock, coin)).toBeGreaterThanOrEqual(8);
      expect(activeTraps(stock, region)).toBeGreaterThanOrEqual(6);
    }
    const inactive = new Set<string>();
    for (const { sealed, lots } of sets) {
      for (const [lot, { state }] of lots.entries()) {
        if (state !== 'active') inactive.add(`${sealed.set}/${lot}`);
      }
    }
    const spent = [...claims].map((name) => name.replace(/-(\d+)\.json$/, '/$1'));
    for (const name of [...spent, ...this.#shown.keys(), ...this.#inactive]) {
      if (!inactive.has(name)) expect.fail(`${name} is active again`);
    }
    this.#inactive = inactive;
    const ranges = sets.flatMap(({ sealed }) => sealed.records ?? []);
    for (const [index, { from }] of ranges.entries()) {
      expect(from).toBeGreaterThan(ranges[index - 1]?.through ?? -1);
    }
  }
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

describe('1,000 random lives of a stock', () => {
  it('reuse no trap, lose no record, and end with the stock restored', async () => {
    const parent = temporaryDirectory(quickParent);
    const log = await servedLog(join(parent, 'log'));
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
        number += 1;
        const directory = join(parent, `${number}`);
        const life = new Life(directory, log);
        for (const each of steps) await life.take(each);
        await life.restore();
        rmSync(directory, { recursive: true });
      }),
      { numRuns: 1_000 },
    );
  }, 180_000);
});
