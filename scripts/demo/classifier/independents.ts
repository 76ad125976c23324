import { loadModule } from 'cld3-asm';
import { eld } from 'eld/small';
import { franc } from 'franc';
import lande from 'lande';
import langdetect from 'langdetect';
import { detect as tinyld } from 'tinyld';
import type { ModelServerOptions } from './model-server.ts';

/** A language identifier that somebody else made, as a suspect. */
export interface ThirdParty {
  readonly name: string;
  readonly kind: string;
  readonly server: Pick<ModelServerOptions, 'labels' | 'predict'>;
}

/** Loads six identifiers from npm, none of which ever saw an answer of ours. */
export async function loadThirdParties(): Promise<readonly ThirdParty[]> {
  const cld3 = (await loadModule()).create(0, 512);
  const landeLabels = lande('language').map(([label]) => label);
  const eldLabels = Object.values(eld.info().Languages);
  return [
    {
      name: 'cld3',
      kind: 'third party, labels (npm cld3-asm)',
      server: { predict: (text) => ({ label: cld3.findLanguage(text).language }) },
    },
    {
      name: 'eld',
      kind: 'third party, scores as probabilities (npm eld/small)',
      server: {
        labels: eldLabels,
        predict: (text) => {
          const { language, getScores } = eld.detect(text);
          return { label: language || null, probabilities: shares(eldLabels, getScores()) };
        },
      },
    },
    {
      name: 'lande',
      kind: 'third party, probabilities (npm lande)',
      server: {
        labels: landeLabels,
        predict: (text) => {
          const ranked = lande(text);
          const scores = Object.fromEntries(ranked);
          return { label: ranked[0]?.[0] ?? null, probabilities: shares(landeLabels, scores) };
        },
      },
    },
    {
      name: 'tinyld',
      kind: 'third party, labels (npm tinyld)',
      server: { predict: (text) => ({ label: tinyld(text) || null }) },
    },
    {
      name: 'langdetect',
      kind: 'third party, labels (npm langdetect)',
      server: { predict: (text) => ({ label: langdetect.detect(text)?.[0]?.lang ?? null }) },
    },
    {
      name: 'franc',
      kind: 'third party, labels (npm franc)',
      server: { predict: (text) => ({ label: franc(text) }) },
    },
  ];
}

/** Non-negative scores as shares of their sum; equal shares where there is none. */
function shares(labels: readonly string[], scores: Readonly<Record<string, number>>): number[] {
  const values = labels.map((label) => Math.max(0, scores[label] ?? 0));
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => (total > 0 ? value / total : 1 / labels.length));
}
