import type { ProvenanceTest } from '../../contracts.ts';
import type { AuditMaterial } from '../material.ts';
import { SmoothSignsRun } from './smooth-signs.ts';

/**
 * Looks for the smooth layer's keyed signs on fresh probes, against twins trained on inputs that
 * the owner chose.
 *
 * Null: the suspect, the fresh probes and the twins are independent of the signs. It assumes
 * nothing of the tenant's questions.
 */
export const probabilitySigns: ProvenanceTest<AuditMaterial> = {
  name: 'probability-signs',
  null: 'keyed',
  needs: ['probabilities'],
  start: (material) =>
    new SmoothSignsRun(material, {
      test: 'probability-signs',
      null: 'keyed',
      questions: material.fresh,
      assumptions: [],
    }),
};
