declare module 'langdetect' {
  const langdetect: { detect(text: string): { lang: string; prob: number }[] | null };
  export default langdetect;
}

declare module 'lande' {
  const lande: (text: string) => [language: string, probability: number][];
  export default lande;
}
