import type { Input } from '../../src/contracts.ts';
import { readRows } from '../../src/models/training/search-features.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';
import type { FeatureMap } from '../../src/watermark/classifier-profile.ts';

/** Questions and the classes that they truly have. */
export interface Examples {
  readonly inputs: readonly Input[];
  /** Index of the class, one for each input. */
  readonly labels: readonly number[];
}

/** How a model reads inputs. */
export interface View {
  readonly name: string;
  readonly dimensions: number;
  /** Whether features may be negative. */
  readonly signed: boolean;
  read(inputs: readonly Input[]): SparseRows;
}

/** Real data of one task, dealt to parties that share none of it. */
export interface Scene {
  readonly name: string;
  readonly labels: readonly string[];
  /** Teaches the protected model, and independents that learnt from the same data. */
  readonly training: Examples;
  /** Teaches independents that learnt from other data. */
  readonly other: Examples;
  /** What thieves ask, and the truth with which some of them tune. */
  readonly attacker: Examples;
  /** The owner's own questions. */
  readonly owner: readonly Input[];
  /** Where the search for traps begins. */
  readonly pool: readonly Input[];
  /** Ordinary traffic that nobody learns from and no search sees. */
  readonly traffic: Examples;
  /** Hidden units of the protected model. */
  readonly units: number;
  readonly views: {
    readonly protected: View;
    /** What thieves use who do not know how the protected model reads. */
    readonly thief: View;
    /** Ways of reading that no reference has. */
    readonly unusual: readonly View[];
  };
  /** How the owner lets references and simulated surrogates read; the library's own way by default. */
  readonly features?: FeatureMap;
  /** Returns a question unlike traffic, from two that are traffic. */
  mix(one: Input, two: Input, share: number): Input;
  /** Draws questions of another source, for thieves who have no traffic. */
  foreign(count: number, seed: string): readonly Input[];
}

/** The view of a feature map. */
export function viewOf(name: string, map: FeatureMap): View {
  const isText = map.kind === 'text';
  return {
    name,
    dimensions: isText ? map.ngrams.dimensions : map.mean.length,
    signed: !isText,
    read: (inputs) => readRows(map, inputs),
  };
}
