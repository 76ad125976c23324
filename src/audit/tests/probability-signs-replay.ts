import type { ProvenanceTest } from '../../contracts.ts';
import { type AuditMaterial, replayAssumption } from '../material.ts';
import { SmoothSignsRun } from './smooth-signs.ts';

/**
 * Looks for the smooth layer's keyed signs on the logged questions, against twins trained on those
 * very questions with clean answers.
 *
 * Null: as `probability-signs`, but exact only if the tenant did not choose its questions from
 * served answers. Descriptive, and worth nothing in the score, unless the owner sealed that
 * assumption into the plan.
 */
export const probabilitySignsReplay: ProvenanceTest<AuditMaterial> = {
  name: 'probability-signs-replay',
  null: 'descriptive',
  needs: ['probabilities'],
  start: (material) =>
    new SmoothSignsRun(material, {
      test: 'probability-signs-replay',
      null: material.questionsNotChosenFromAnswers ? 'keyed' : 'descriptive',
      questions: material.logged.flatMap(({ probe, replayBaselines }) =>
        replayBaselines === undefined ? [] : [{ probe, baselines: replayBaselines }],
      ),
      assumptions: [replayAssumption],
    }),
};
