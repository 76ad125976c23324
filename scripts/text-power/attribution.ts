/** How many tokens of marked text it takes to name a tenant. */
import { createHash } from 'node:crypto';
import type { Progress } from '../../src/contracts.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import {
  parseTextProfile,
  type TenantLayers,
  type TextProfile,
} from '../../src/watermark/text/profile.ts';
import { accuse } from '../../src/watermark/text/tenants/accuser.ts';
import {
  identifierCapacity,
  tenantIdentifier,
} from '../../src/watermark/text/tenants/identifiers.ts';
import { TenantScreen } from '../../src/watermark/text/tenants/screen.ts';
import { openTenantWatermark } from '../../src/watermark/text/tenants/tenant-watermark.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import { promptLength, type Scene } from './scenes.ts';

/** Texts of one length under one way of sharing contexts out. */
export interface AttributionPowerRow {
  readonly name: string;
  readonly tokens: number;
  readonly texts: number;
  /** Share of texts in which the tenant leads all 2^20 identifiers. */
  readonly first: number;
  /** Share in which the screen's p-value after multiplicity over all identifiers is below 1e-6. */
  readonly screened: number;
  /** Share in which the tenant's own key has p < 1e-6 after multiplicity over 1,000 tenants. */
  readonly accused: number | null;
  readonly medianLog10P: number;
}

const identifierBits = 20;
const wantedLog10 = -6;
const accusedTenants = 1000;

/** Contexts shared out in sixteenths, and lengths of texts. */
export const attributionPowerCases: readonly {
  readonly name: string;
  readonly layers: TenantLayers;
  readonly lengths: readonly number[];
}[] = [
  {
    name: 'all coded',
    layers: { common: 0, code: 16, own: 0 },
    lengths: [100, 150, 200, 300, 400],
  },
  {
    name: 'common 4, code 4, own 8',
    layers: { common: 4, code: 4, own: 8 },
    lengths: [400, 800, 1200],
  },
];

/** Measures each case on texts of the scene's model, green list .5/2, under fresh keys and tenants. */
export async function measureAttribution(
  scene: Scene,
  { name, layers, lengths }: (typeof attributionPowerCases)[number],
  count: number,
  progress: Progress,
): Promise<readonly AttributionPowerRow[]> {
  const profile = profileOf(scene, layers);
  const tallies = lengths.map(() => ({
    first: 0,
    screened: 0,
    accused: 0,
    log10Ps: [] as number[],
  }));
  for (const [index, prompt] of scene.prompts(count, 'attribution').entries()) {
    const tenant = await tenantOf(scene, profile, `${name}/${index}`, prompt, lengths.at(-1)!);
    for (const [at, length] of lengths.entries()) {
      const tally = tallies[at]!;
      const text = { promptLength, tokens: tenant.text.tokens.subarray(0, promptLength + length) };
      const screen = new TenantScreen(profile, tenant.commonKey);
      screen.fold(text);
      const { best } = screen.screening();
      const leads = best.identifier === tenant.identifier;
      tally.first += Number(leads);
      tally.screened += Number(leads && best.log10PAdjusted < wantedLog10);
      tally.log10Ps.push(screen.score(tenant.identifier).log10P);
      if (layers.own > 0) tally.accused += Number(isAccused(profile, tenant, text));
    }
    progress(`${name}: texts`, index + 1, count);
  }
  return tallies.map(({ first, screened, accused, log10Ps }, at) => ({
    name,
    tokens: lengths[at]!,
    texts: count,
    first: first / count,
    screened: screened / count,
    accused: layers.own > 0 ? accused / count : null,
    medianLog10P: log10Ps.sort((a, b) => a - b)[count >> 1]!,
  }));
}

interface MarkedTenant {
  readonly commonKey: Uint8Array;
  readonly ownKey: Uint8Array;
  readonly identifier: number;
  readonly text: TokenText;
}

async function tenantOf(
  scene: Scene,
  profile: TextProfile,
  name: string,
  prompt: Int32Array,
  length: number,
): Promise<MarkedTenant> {
  const commonKey = keyOf(`${scene.seed}/common/${name}`);
  const ownKey = keyOf(`${scene.seed}/own/${name}`);
  const random = seededRandom(`${scene.seed}/tenant/${name}`);
  const number = random.integer(identifierCapacity(identifierBits));
  const identifier = tenantIdentifier(number, identifierBits);
  const watermark = openTenantWatermark(profile, { commonKey, identifier, ownKey });
  const marker = () => watermark.marker({ promptLength });
  const [text] = await scene.texts(scene.model, [prompt], length, `attribution/${name}`, marker);
  return { commonKey, ownKey, identifier, text: text! };
}

function isAccused(
  profile: TextProfile,
  { commonKey, ownKey }: MarkedTenant,
  text: TokenText,
): boolean {
  const candidate = { tenant: 'guilty', ownKey, weight: 1 / accusedTenants };
  const { accusations } = accuse(profile, commonKey, [text], [candidate]);
  return accusations[0]!.log10PAdjusted < wantedLog10;
}

function profileOf(scene: Scene, layers: TenantLayers): TextProfile {
  const { name, vocabularySize } = scene.corpus.tokenizer;
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'green-list', gamma: 0.5, delta: 2 },
      prf: { name: 'native', contextWidth: 2 },
      repeats: 'turn',
      tenants: { identifierBits, layers },
      tokenizer: { name, vocabularySize },
    },
    'the power script',
  );
}

function keyOf(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}
