import { createLabelMatcher } from '../../src/models/adapters/label-mapping.ts';
import { loadThirdParties } from '../demo/classifier/independents.ts';
import type { Scene } from './scene.ts';
import type { Subject } from './subject.ts';

/** Six language identifiers that other people made from other data, as independents. */
export async function thirdPartySubjects({ labels }: Scene): Promise<Subject[]> {
  const match = createLabelMatcher(labels);
  return (await loadThirdParties()).map(({ name, server }) => ({
    name,
    truth: 'other-data independent',
    kind: 'third party',
    familiar: false,
    label: (inputs) =>
      inputs.map((input) => {
        const { label } = server.predict(String(input));
        return label === null ? undefined : match(label);
      }),
  }));
}
