/** Whom a key is written for: a gateway of ours, or another stack's server. */
export const keyFormats = ['bundle', 'transformers', 'vllm'] as const;
export type KeyFormat = (typeof keyFormats)[number];
