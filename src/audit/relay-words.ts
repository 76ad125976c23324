import type { RelayCoins, RelayJudgement, RelaySightings } from './relay.ts';

/** Says what came of a relay check, in plain words. */
export function relaySays(
  { finding, able, shown }: RelayJudgement,
  {
    epochClosed,
    coins,
    sightings: { found, probes },
  }: {
    readonly epochClosed: boolean;
    readonly coins: Pick<RelayCoins, 'asked'>;
    readonly sightings: Pick<RelaySightings, 'found' | 'probes'>;
  },
): string {
  if (finding === 'relay-likely') {
    const signs = [
      ...(shown.coins
        ? ['its answers to questions nobody had asked before follow the coins of a key in use']
        : []),
      ...(shown.log ? ['the questions of this audit came to us while it was asked'] : []),
    ];
    const ours =
      able.coins && !shown.coins
        ? 'Its answers do not follow the coins of keys in use, so that it may answer by itself, and ask us to compare or to learn.'
        : 'Its answers then are ours, and do not show that it learned from them.';
    return `The suspect seems to forward questions to our own service: ${signs.join(', and ')}. ${ours}`;
  }
  const none = 'Every question of this audit had been asked of us before, by somebody.';
  const seen =
    probes === 0
      ? none
      : found === 0
        ? 'No question of this audit that nobody had asked before came to us while the suspect was asked.'
        : `Of its questions, ${found} came to us while the suspect was asked; so many may do so by chance.`;
  if (finding === 'no-sign') {
    const told = coins.asked === 0 ? '' : ' Its answers do not follow the coins of keys in use.';
    return `Nothing speaks for a relay. ${seen}${told}`;
  }
  return epochClosed
    ? `A relay cannot be excluded: too few questions that nobody had asked before were put to the suspect. ${seen}`
    : `A relay cannot be excluded: the log shows no answer under a later key yet, so that answers may still be marked under the audited epoch; rotate, start the gateway again, let it answer, and audit with --epoch. ${seen}`;
}
