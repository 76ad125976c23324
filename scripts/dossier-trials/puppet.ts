import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import { auditSuspect, prepareAudit } from '../../src/operations/audit.ts';
import { openAudit } from '../../src/operations/audit-preparation.ts';
import { chosenClass, tossCoin } from '../../src/watermark/label/coins.ts';
import type { Attempt } from '../../test/dossier/received.ts';
import { victimOf } from '../../test/dossier/victims.ts';
import { createScene, ngramModel, sentences, serve } from '../../test/operations/audit-scene.ts';

/** The kind of attempt that `puppetAudit` makes. */
export const puppetKind = 'sock puppet behind the real gateway';

const asked = 60;

/**
 * Poses as a tenant of the owner's own gateway: asks the suspect first, then the gateway only what the
 * suspect answers as the coin will fall, and audits the suspect by the book.
 */
export async function puppetAudit(turn: number): Promise<Attempt> {
  const suspect = await serve(ngramModel(0.4, `puppet ${turn}`));
  suspect.labelsOnly = true;
  const availableSince = new Date();
  const scene = await createScene(10, {
    watermark: { coinShare: 0.25 },
    log: { checkpointEvery: 16 },
    audit: { freshProbes: 4 },
  });
  try {
    const options = scene.options(suspect.http, 'puppet');
    const { profile, keyRing } = await openAudit(options);
    const { labelCoins } = classifierKeys(keyRing.epochKey('example', 'e1'));
    const clean = ngramModel();
    const agreeing = sentences(2000, `candidates ${turn}`).filter((question) => {
      const coin = tossCoin(labelCoins, question, clean(question), profile.marginThreshold);
      const row = Array.from(suspect.predict(question));
      return coin !== undefined && chosenClass(coin) === row.indexOf(Math.max(...row));
    });
    await scene.ask(agreeing.slice(0, asked));
    await auditSuspect(await prepareAudit(options), options);
    const text = readFileSync(join(scene.out('puppet'), 'puppet.dossier.json'), 'utf8');
    const { statement, key } = victimOf(text, keyRing.signingKey());
    const { plan } = statement.predicate;
    const at = new Date(plan.sealedAt);
    return {
      ...{ statement, key, baseline: clean, suspect: suspect.predict },
      falsified: ['order', "the tenant's questions", 'first look'],
      trust: {
        ownerKey: keyIdentifier(publicKeyOf(key)),
        availableSince,
        witnessed: [{ digest: plan.log.root!, at }],
      },
    };
  } finally {
    suspect.close();
    scene.close();
  }
}
