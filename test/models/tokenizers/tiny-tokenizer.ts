/** The files of a byte-level BPE tokenizer with three merges and one special token, as JSON. */
export const tinyVocabularySize = 64;
const endOfText = '<|endoftext|>';
const symbols = Array.from('abcdefghijklmnopqrstuvwxyzĠ<|>_.,!?0123456789');

export const tinyTokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [
    {
      id: tinyVocabularySize - 1,
      content: endOfText,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ],
  normalizer: null,
  pre_tokenizer: {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: endOfText, type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      [endOfText]: { id: endOfText, ids: [tinyVocabularySize - 1], tokens: [endOfText] },
    },
  },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    fuse_unk: false,
    vocab: Object.fromEntries(
      [...symbols, 'th', 'the', 'Ġthe'].map((symbol, id) => [symbol, id] as const),
    ),
    merges: ['t h', 'th e', 'Ġ the'],
  },
};

export const tinyTokenizerConfig = {
  tokenizer_class: 'GPT2Tokenizer',
  bos_token: endOfText,
  eos_token: endOfText,
  unk_token: endOfText,
  pad_token: endOfText,
  model_max_length: 1024,
  clean_up_tokenization_spaces: false,
};
