import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { chromiumFlags, chromiumPath } from '../../scripts/screenshot.ts';
import { renderHtml } from '../../src/report/html.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { hostileReport } from './hostile.ts';

const missing = existsSync(chromiumPath) ? '' : ` (skipped: no Chromium at ${chromiumPath})`;

/** Runs in the page: texts whose contrast with what lies behind them is under WCAG 2.2 AA (1.4.3). */
const faintTexts = `(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => numbers(colour).slice(0, 3)
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((numbers(colour)[3] ?? 1) === 1) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (text.data.trim() === '' || node.getClientRects().length === 0) continue;
    if (node.closest('title, desc')) continue;
    seen += 1;
    const style = getComputedStyle(node);
    const ink = light(node instanceof SVGElement ? style.fill : style.color);
    const paper = light(behind(node));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) faint.push(text.data.slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return { faint, seen };
})()`;

describe.skipIf(missing !== '')(`the report in a real browser${missing}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'touchmark-report-'));
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  });

  afterAll(async () => {
    await browser.close();
    rmSync(directory, { recursive: true });
  });

  async function opened(
    html: string,
    colorScheme: 'light' | 'dark',
    width: number,
    audited = false,
  ) {
    const file = join(directory, 'report.html');
    writeFileSync(file, html);
    const page = await browser.newPage({
      colorScheme,
      viewport: { width, height: 900 },
      ...(audited ? { bypassCSP: true } : {}),
    });
    const noise: string[] = [];
    page.on('console', (message) => noise.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
    page.on('request', (request) => noise.push(`request: ${request.url()}`));
    const address = pathToFileURL(file).href;
    await page.goto(address);
    return { page, noise: noise.filter((line) => line !== `request: ${address}`) };
  }

  async function overflow(page: Page): Promise<unknown> {
    return page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
  }

  const cases = [
    ...sampleReports.map((report) => [report.suspect.name, report] as const),
    ['hostile', hostileReport()] as const,
  ];

  test.each(
    cases,
  )('%s: quiet, every plot, no sideways scrolling, AA contrast', async (_, report) => {
    const html = renderHtml(report);
    for (const [scheme, width] of [
      ['light', 1200],
      ['dark', 360],
    ] as const) {
      const { page, noise } = await opened(html, scheme, width);
      expect(noise).toEqual([]);
      const pictures = await page.locator('figure svg.wide').count();
      expect(pictures).toBeGreaterThanOrEqual(4);
      expect(await page.locator('figure svg:visible').count()).toBe(pictures);
      expect(await overflow(page)).toBe(0);
      const { faint, seen } = (await page.evaluate(faintTexts)) as {
        faint: string[];
        seen: number;
      };
      expect(faint).toEqual([]);
      expect(seen).toBeGreaterThan(150);
      expect(await page.evaluate('globalThis.owned')).toBeUndefined();
      await page.close();
    }
  });

  test('both colour schemes pass at the other width too, and paper is light', async () => {
    const { page } = await opened(renderHtml(sampleReports[3]!), 'dark', 1200);
    expect(await page.evaluate(faintTexts)).toMatchObject({ faint: [] });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
      'rgb(21, 23, 26)',
    );
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
      'rgb(255, 255, 255)',
    );
    expect(await page.locator('figure svg:visible').count()).toBe(4);
    await page.close();
  });

  test.each([
    ['match', sampleReports[0]!, 'light', 1200],
    ['match', sampleReports[0]!, 'dark', 1200],
    ['match', sampleReports[0]!, 'light', 360],
    ['quirks', sampleReports[3]!, 'dark', 360],
    ['doubts', sampleReports[2]!, 'light', 360],
    ['hostile', hostileReport(), 'dark', 360],
  ] as const)('%s: axe finds no serious fault (%#)', async (_, report, scheme, width) => {
    const { page } = await opened(renderHtml(report), scheme, width, true);
    await page.evaluate(axe.source);
    const { violations, passes } = (await page.evaluate('axe.run()')) as axe.AxeResults;
    const serious = violations.filter(
      ({ impact }) => impact === 'serious' || impact === 'critical',
    );
    expect(serious.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    expect(passes.length).toBeGreaterThan(10);
    await page.close();
  });

  test('a strict XML parser reads JUnit reports, hostile ones too', async () => {
    const { page } = await opened('<!doctype html><title>x</title>', 'light', 400);
    const read = `((text) => {
      const document = new DOMParser().parseFromString(text, 'application/xml');
      return [
        document.querySelector('parsererror')?.textContent ?? '',
        document.querySelector('testcase')?.getAttribute('name'),
        document.querySelectorAll('testcase').length,
      ];
    })`;
    for (const report of [...sampleReports, hostileReport()]) {
      const text = JSON.stringify(renderJunit(report));
      const [error, name, cases] = (await page.evaluate(`${read}(${text})`)) as unknown[];
      expect(error).toBe('');
      expect(name).toBe(report.evidence[0]?.test);
      expect(cases).toBe(report.evidence.length + 1);
    }
    await page.close();
  });
});
