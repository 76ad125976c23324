import type { AuditMaterial } from '../../../src/audit/material.ts';
import { classifierKeys } from '../../../src/keys/classifier-keys.ts';
import { keyOf, textProfile } from '../../watermark/fixtures.ts';

/** An audit's material without a single question. */
export function simulate(): AuditMaterial {
  return {
    profile: textProfile(),
    keys: classifierKeys(keyOf('epoch')),
    epochCommitment: `sha256:${'0'.repeat(64)}`,
    questionsNotChosenFromAnswers: false,
    referencesExchangeable: true,
    fresh: [],
    logged: [],
    coins: [],
    regionLots: [],
  };
}
