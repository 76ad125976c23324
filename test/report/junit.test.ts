import { DOMParser } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { renderJunit } from '../../src/report/junit.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { hostileReport } from './hostile.ts';

const [match, noMatch, inconclusive] = sampleReports as [AuditReport, AuditReport, AuditReport];

interface Node {
  readonly tagName: string;
  readonly textContent: string;
  readonly children: Iterable<Node>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Node | null;
  querySelectorAll(selector: string): Iterable<Node>;
}

function parsed(report: AuditReport): Node {
  return new DOMParser().parseFromString(renderJunit(report), 'text/xml') as unknown as Node;
}

function cases(document: Node): Node[] {
  return [...document.querySelectorAll('testcase')];
}

/** The names of the elements inside each element, over the whole document. */
function shapeOf(document: Node): Set<string> {
  const shape = new Set<string>();
  const visit = (node: Node) => {
    for (const child of node.children) {
      shape.add(`${node.tagName}>${child.tagName}`);
      visit(child);
    }
  };
  visit(document.querySelector('testsuites')!);
  return shape;
}

describe('renderJunit', () => {
  test('is one suite with a case for each test and one for the verdict, which fails on a match', () => {
    const document = parsed(match);
    const suite = document.querySelector('testsuite')!;
    expect(cases(document).map((node) => node.getAttribute('name'))).toEqual([
      ...match.evidence.map((evidence) => evidence.test),
      'verdict',
    ]);
    expect(suite.getAttribute('tests')).toBe(String(match.evidence.length + 1));
    expect(suite.getAttribute('failures')).toBe('1');
    expect(suite.getAttribute('timestamp')).toBe('2026-05-04T09:12:20.000Z');
    const failures = [...document.querySelectorAll('failure')];
    expect(failures).toHaveLength(1);
    expect(failures[0]!.getAttribute('message')).toContain('10^-95.3');
    const outputs = cases(document).map((node) => node.querySelector('system-out')!.textContent);
    expect(outputs[1]).toBe('31.87 bans\nnull: keyed\nlog10 p: −33.17\nprobes: 1,320, done\n');
    expect(outputs[3]).toContain('38.60 bans, not counted');
    expect(outputs.at(-1)).toContain('score 95.30 bans, threshold 6');
    expect(outputs.at(-1)).toContain('not the probability');
  });

  test('neither passes nor fails what is inconclusive, and passes what found nothing', () => {
    expect(cases(parsed(noMatch)).at(-1)?.querySelector('failure, skipped')).toBeNull();
    const document = parsed(inconclusive);
    expect(document.querySelector('failure')).toBeNull();
    expect(cases(document).at(-1)?.querySelector('skipped')?.getAttribute('message')).toContain(
      'too short or too weak',
    );
  });

  test('skips tests that did not apply, and counts them', () => {
    const [first, ...rest] = noMatch.evidence;
    const evidence = [{ ...first!, status: 'not-applicable' as const }, ...rest];
    const document = parsed({ ...noMatch, evidence });
    expect(cases(document)[0]?.querySelector('skipped')?.getAttribute('message')).toBe(
      'not applicable',
    );
    expect(document.querySelector('testsuites')?.getAttribute('skipped')).toBe('1');
  });

  test('a hostile report adds no element, and sends no character that XML forbids', () => {
    const report = hostileReport();
    const text = renderJunit(report);
    expect(text).not.toMatch(/[^\P{C}\n]/u);
    expect(text).not.toMatch(/[\ufffe\uffff]|&(?!(amp|lt|gt|quot|#39);)/);
    const document = parsed(report);
    expect(shapeOf(document)).toEqual(shapeOf(parsed(match)));
    expect(cases(document)).toHaveLength(report.evidence.length + 1);
  });
});
