import { describe, expect, it } from 'vitest';
import { fillDisk, whyNoSmallDisk } from '../../scripts/gateway-trials/disk-trials.ts';
import { killGateways } from '../../scripts/gateway-trials/kill-trials.ts';
import { terminateUnderLoad } from '../../scripts/gateway-trials/stop-trials.ts';

/** Processes start several times, which takes long on a busy machine. */
const patience = 180_000;
const tenants = 4;

describe('a gateway whose process and disk fail it', () => {
  it('has every answer in its log that a client got before kill -9', {
    timeout: patience,
  }, async () => {
    const { answers, missing, broken } = await killGateways(3, false, () => undefined, tenants);
    expect({ missing, broken }).toEqual({ missing: 0, broken: [] });
    expect(answers).toBeGreaterThan(10);
  });

  it('answers what it accepted before SIGTERM, and ends with 0', {
    timeout: patience,
  }, async () => {
    expect((await terminateUnderLoad(false, tenants)).broken).toEqual([]);
  });

  const whyNot = whyNoSmallDisk();
  it.skipIf(whyNot !== undefined)(
    `gives no answer that a full disk cannot record, and goes on with room${whyNot ? `: ${whyNot}` : ''}`,
    { timeout: patience },
    async () => {
      expect((await fillDisk('fail-closed', 'goes on', false, tenants)).broken).toEqual([]);
    },
  );
});
