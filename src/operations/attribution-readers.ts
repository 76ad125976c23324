import { TouchmarkError } from '../errors.ts';
import type { KeyRing } from '../store/key-ring.ts';
import type { EpochRecord } from '../store/key-ring-file.ts';
import { KeyAccuser } from '../watermark/text/key-accuser.ts';
import type { TextProfile } from '../watermark/text/profile.ts';
import { TenantAccuser } from '../watermark/text/tenants/accuser.ts';
import { type CommonDetection, CommonDetector } from '../watermark/text/tenants/common-detector.ts';
import { type Screening, TenantScreen } from '../watermark/text/tenants/screen.ts';
import type { TokenText } from '../watermark/text/token-pairs.ts';
import { openTextWatermark, type TextWatermark } from '../watermark/text/watermark.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';
import { type CommonEpoch, openCommonEpoch, openTenantLayers } from './watermark-open.ts';

export interface ReaderOptions extends ProjectOptions {
  /** The tenant that serves nobody, whose key all tenants share; for profiles with `tenants`. */
  readonly commonTenant?: string;
  readonly commonEpoch?: string;
  /** Whom to test by their own keys: some tenants of the ring, or all. */
  readonly accuse?: 'all' | readonly string[];
}

/** The case against one epoch of one tenant. */
export interface TenantAccusation {
  readonly tenant: string;
  readonly epoch: string;
  readonly mean: number;
  readonly log10P: number;
  readonly log10E: number;
  /** After multiplicity over all epochs that were tested. */
  readonly log10PAdjusted: number;
  readonly log10EAdjusted: number;
}

/** What the tests say, each where the profile or the caller asks for it. */
export interface AttributionFindings {
  /** Whether anybody of the epoch made the texts; where the profile has a common layer. */
  readonly common?: CommonDetection;
  /** Whom to look at: a screening accuses nobody; where the profile has a code layer. */
  readonly screening?: Screening;
  /** Cases by independent keys, the strongest first. */
  readonly accusations?: {
    readonly scored: number;
    readonly skipped: Readonly<Record<string, number>>;
    readonly tenants: readonly TenantAccusation[];
    readonly someTenant: { readonly log10P: number; readonly log10E: number };
  };
}

/** The tests that read texts side by side. */
export interface Readers {
  /** Opens the profile for the checks whether it fits. */
  readonly watermark: TextWatermark;
  readonly parts: readonly { fold(text: TokenText): void }[];
  /** Distinct pairs that the tests remember. */
  readonly remembered: () => number;
  readonly report: () => AttributionFindings;
}

/** Opens what a profile offers for attribution; errors as for `attributeTexts`. */
export async function openReaders(profile: TextProfile, options: ReaderOptions): Promise<Readers> {
  if (profile.tenants) return layeredReaders(profile, await openCommonEpoch(options), options);
  if (options.accuse === undefined) {
    throw new TouchmarkError('USAGE', 'The profile has no mark that screens tenants.', {
      hint: 'Say whose keys to test with --accuse all or --accuse NAME,NAME.',
    });
  }
  const ring = await openProjectRing(await openProject(options));
  return plainReaders(profile, ring, accusedEpochs(ring, ring.tenants(), options.accuse));
}

function plainReaders(
  profile: TextProfile,
  ring: KeyRing,
  epochs: readonly EpochRecord[],
): Readers {
  const watermarks = epochs.map(({ tenant, epoch }) =>
    openTextWatermark(profile, { stack: 'touchmark', epochKey: ring.epochKey(tenant, epoch) }),
  );
  const accuser = new KeyAccuser(watermarks);
  return {
    watermark: watermarks[0]!,
    parts: [accuser],
    remembered: () => accuser.scored,
    report: () => {
      const { scored, skipped, accusations, someKey } = accuser.accusations();
      const tenants = strongestFirst(epochs, accusations);
      return { accusations: { scored, skipped, tenants, someTenant: someKey } };
    },
  };
}

function layeredReaders(
  profile: TextProfile,
  common: CommonEpoch,
  { accuse }: ReaderOptions,
): Readers {
  const { ring, commonKey, tenants } = common;
  const { common: shared = 0, code = 0 } = profile.tenants?.layers ?? {};
  const [first] = tenants;
  if (first === undefined) throw noTenantError(ring);
  const epochs = accuse === undefined ? [] : contemporaries(common, accuse);
  const detector = shared > 0 ? new CommonDetector(profile, commonKey) : undefined;
  const screen = code > 0 ? new TenantScreen(profile, commonKey, tenants) : undefined;
  const accuser = accuse === undefined ? undefined : layeredAccuser(profile, common, epochs);
  return {
    watermark: openTenantLayers(profile, common, ring.currentEpoch(first)),
    parts: [detector, screen, accuser].filter((part) => part !== undefined),
    remembered: () => {
      const counts = (detector ?? screen ?? accuser)?.counts;
      return (counts?.scored ?? 0) + (counts?.skipped['other layer'] ?? 0);
    },
    report: () => ({
      ...(detector && { common: detector.detection() }),
      ...(screen && { screening: screen.screening() }),
      ...(accuser && { accusations: reportOf(accuser, epochs) }),
    }),
  };
}

function layeredAccuser(
  profile: TextProfile,
  { ring, commonKey }: CommonEpoch,
  epochs: readonly EpochRecord[],
): TenantAccuser {
  const candidates = epochs.map(({ tenant, epoch }) => ({
    tenant: `${tenant} ${epoch}`,
    ownKey: ring.epochKey(tenant, epoch),
  }));
  return new TenantAccuser(profile, commonKey, candidates);
}

function reportOf(
  accuser: TenantAccuser,
  epochs: readonly EpochRecord[],
): NonNullable<AttributionFindings['accusations']> {
  const { scored, skipped, accusations, someTenant } = accuser.accusations();
  return { scored, skipped, tenants: strongestFirst(epochs, accusations), someTenant };
}

function strongestFirst(
  epochs: readonly EpochRecord[],
  accusations: readonly Omit<TenantAccusation, 'tenant' | 'epoch'>[],
): TenantAccusation[] {
  return epochs
    .map(({ tenant, epoch }, index) => {
      const { mean, log10P, log10E, log10PAdjusted, log10EAdjusted } = accusations[index]!;
      return { tenant, epoch, mean, log10P, log10E, log10PAdjusted, log10EAdjusted };
    })
    .sort((left, right) => left.log10P - right.log10P);
}

/** The epochs of tenants that were in use while the common one was. */
function contemporaries(
  { ring, tenants, createdAt, closedAt }: CommonEpoch,
  accuse: 'all' | readonly string[],
): EpochRecord[] {
  const epochs = accusedEpochs(ring, tenants, accuse).filter(
    (epoch) =>
      (epoch.closedAt === undefined || epoch.closedAt > createdAt) &&
      (closedAt === undefined || epoch.createdAt < closedAt),
  );
  if (epochs.length > 0) return epochs;
  throw new TouchmarkError(
    'EPOCH_UNKNOWN',
    'No tenant had an epoch while the common one was used.',
    {
      hint: 'Name another epoch of the common tenant with --common-epoch; `touchmark keys list` shows the times.',
    },
  );
}

function accusedEpochs(
  ring: KeyRing,
  tenants: readonly string[],
  accuse: 'all' | readonly string[],
): EpochRecord[] {
  const named = accuse === 'all' ? tenants : [...new Set(accuse)];
  if (named.length === 0) throw noTenantError(ring);
  return named.flatMap((tenant) => ring.epochs(tenant));
}

function noTenantError(ring: KeyRing): TouchmarkError {
  return new TouchmarkError('TENANT_UNKNOWN', `${ring.path} has no tenant to attribute texts to.`, {
    hint: 'Make one with `touchmark keys generate --tenant NAME`.',
  });
}
