/** Takes a picture of an HTML file: tsx scripts/screenshot.ts FILE.html OUT.png [light|dark|print] [WIDTH]. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

/** Flags under which Chromium stays quiet, offline and content inside a container. */
export const chromiumFlags: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where Chromium is: the environment's CHROMIUM, or Debian's place. */
export const { CHROMIUM: chromiumPath = '/usr/bin/chromium' } = process.env;

async function screenshot(source: string, target: string, look: string, width: number) {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  try {
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      deviceScaleFactor: width < 600 ? 2 : 1,
      colorScheme: look === 'dark' ? 'dark' : 'light',
    });
    if (look === 'print') await page.emulateMedia({ media: 'print' });
    await page.goto(pathToFileURL(resolve(source)).href);
    await page.screenshot({ path: target, fullPage: true });
  } finally {
    await browser.close();
  }
}

if (process.argv[1] === import.meta.filename) {
  const [source, target, look = 'light', width = '1000'] = process.argv.slice(2);
  if (source === undefined || target === undefined) {
    throw new Error(
      'usage: tsx scripts/screenshot.ts FILE.html OUT.png [light|dark|print] [WIDTH]',
    );
  }
  await screenshot(source, target, look, Number(width));
}
