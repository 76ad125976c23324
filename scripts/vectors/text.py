"""Writes test/vectors/text-*.json: what other systems compute, asked of those systems themselves.

torch and transformers: their own generator, WatermarkLogitsProcessor, WatermarkDetector and
SynthIDTextWatermarkLogitsProcessor, on a CPU. DeepMind's repository: its SynthIDLogitsProcessor.
vLLM's Philox: written here in whole numbers from its definition (its own published values are in the
tests). The mixed Gamma tail: mpmath at 60 digits: partial fractions for
small counts, else plain sums of all terms.

Run: python3 scripts/vectors/text.py DIRECTORY, which holds DeepMind's package `synthid_text`.
Needs torch, transformers, numpy and mpmath; the values were made with torch 2.15.0, transformers
5.24.0 and DeepMind's repository as of June 2025.
"""

import hashlib
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from mpmath import mp, mpf
from transformers.generation.logits_process import (
    SynthIDTextWatermarkLogitsProcessor,
    WatermarkLogitsProcessor,
)
from transformers.generation.watermarking import WatermarkDetector

sys.path.insert(0, sys.argv[1])
from synthid_text.logits_processing import SynthIDLogitsProcessor  # noqa: E402

mp.dps = 60
TARGET = Path(__file__).resolve().parents[2] / "test" / "vectors"
DEFAULT_KEYS = [654, 400, 836, 123, 340, 443, 597, 160, 57, 29, 590, 639, 13, 715, 468]
DEFAULT_KEYS += [990, 966, 226, 324, 585, 118, 504, 421, 521, 129, 669, 732, 225, 90, 960]
LARGE_KEYS = [2**32 + 5, 2**53 - 1, 65536, 0, 2**31, 4294967295]
draw = random.Random(20261125)


def write(name, value):
    path = TARGET / f"text-{name}.json"
    text = json.dumps(value, separators=(",", ":"))
    path.write_text(text.replace('},{', '},\n{') + "\n")
    print(path.name, len(text))


def digest(numbers):
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()


def distinct_logits(size):
    """Whole multiples of 1/8 without ties; a bias of 1.3 or 2.05 makes none either."""
    values = list(range(size))
    draw.shuffle(values)
    return [value / 8 for value in values]


# --- torch ----------------------------------------------------------------------------------


def torch_generator():
    cases = []
    for seed in [0, 1, 42, 15485863, 2**31, 2**32 - 1, 2**32 + 7, 2**63 + 12345, -1, -5]:
        generator = torch.Generator().manual_seed(seed)
        permutation = torch.randperm(1000, generator=generator).tolist()
        generator.manual_seed(seed)
        integers = torch.randint(0, 1000003, (700,), generator=generator).tolist()
        cases.append(
            {
                "seed": str(seed),
                "permutation": permutation[:8],
                "permutationSha256": digest(permutation),
                "integers": integers[:4],
                "integersSha256": digest(integers),
            }
        )
    return {"cases": cases}


# --- transformers' green lists ----------------------------------------------------------------


def processor(settings):
    return WatermarkLogitsProcessor(
        vocab_size=settings["vocabulary"],
        device="cpu",
        greenlist_ratio=settings["ratio"],
        bias=settings.get("bias", 2.0),
        hashing_key=int(settings["hashingKey"]),
        seeding_scheme=settings["seeding"],
        context_width=settings["contextWidth"],
    )


def green_lists():
    cases = []
    combinations = [
        ("lefthash", "15485863", 1, 20, 0.25),
        ("lefthash", "15485863", 3, 50257, 0.25),
        ("lefthash", "9007199254740991", 1, 32000, 0.5),
        ("lefthash", "18446744073709551615", 2, 1000, 0.1),
        ("lefthash", "9223372036854775807", 1, 151936, 0.25),
        ("lefthash", "-77", 1, 500, 0.3),
        ("lefthash", "2", 1, 333, 0.333),
        ("selfhash", "15485863", 1, 100, 0.25),
        ("selfhash", "15485863", 4, 50257, 0.25),
        ("selfhash", "9223372036854775807", 4, 1000, 0.5),
        ("selfhash", "-15485863", 2, 1000, 0.25),
        ("selfhash", "6364136223846793005", 3, 2000000, 0.01),
    ]
    for seeding, key, width, vocabulary, ratio in combinations:
        settings = {
            "seeding": seeding,
            "hashingKey": key,
            "contextWidth": width,
            "vocabulary": vocabulary,
            "ratio": ratio,
        }
        real = processor(settings)
        windows = []
        for trial in range(6):
            window = [draw.randrange(vocabulary) for _ in range(width)]
            if trial == 0:
                window = [0] * width
            ids = real._get_greenlist_ids(torch.tensor(window)).tolist()
            windows.append({"window": window, "first": ids[:3], "sha256": digest(sorted(ids))})
        cases.append({**settings, "size": real.greenlist_size, "windows": windows})
    return cases


def green_generations():
    """Greedy generations over random logits; which ids were raised at every step."""
    cases = []
    for seeding, width, key in [("lefthash", 1, "15485863"), ("lefthash", 2, "987654321987"),
                                ("selfhash", 1, "15485863"), ("selfhash", 3, "123456789123456789")]:
        settings = {"seeding": seeding, "contextWidth": width, "hashingKey": key,
                    "vocabulary": 96, "ratio": 0.25, "bias": 2.05}
        real = processor(settings)
        prompt = [draw.randrange(96)]
        sequence = list(prompt)
        steps = []
        for _ in range(12):
            logits = distinct_logits(96)
            scores = torch.tensor([logits])
            marked = real(torch.tensor([sequence]), scores)
            raised = torch.nonzero(marked[0] != scores[0]).flatten().tolist()
            token = int(marked[0].argmax())
            steps.append({"eighths": [round(8 * each) for each in logits], "raised": raised})
            sequence.append(token)
        cases.append({**settings, "prompt": prompt, "steps": steps, "tokens": sequence})
    return cases


def green_detections():
    cases = []
    for seeding, width in [("lefthash", 1), ("lefthash", 3), ("selfhash", 1), ("selfhash", 4)]:
        settings = {"seeding": seeding, "contextWidth": width, "hashingKey": "15485863",
                    "vocabulary": 300, "ratio": 0.25}
        real = processor(settings)
        for marked in [False, True]:
            tokens = [draw.randrange(300) for _ in range(width)]
            while len(tokens) < 80:
                token = draw.randrange(300)
                window = tokens[-width:] if seeding == "lefthash" else tokens[-width:] + [token]
                if marked and draw.random() < 0.6:
                    if token not in real._get_greenlist_ids(torch.tensor(window)).tolist():
                        continue
                tokens.append(token)
            tokens += tokens[:30]
            detector = WatermarkDetector(
                model_config=SimpleNamespace(vocab_size=300, bos_token_id=-1,
                                             is_encoder_decoder=False),
                device="cpu",
                watermarking_config={"greenlist_ratio": 0.25, "bias": 2.0,
                                     "hashing_key": 15485863, "seeding_scheme": seeding,
                                     "context_width": width},
            )
            found = detector(torch.tensor([tokens]), return_dict=True)
            z = found.z_score
            cases.append({
                **settings,
                "tokens": tokens,
                "scored": int(found.num_tokens_scored[0]),
                "green": int(found.num_green_tokens[0]),
                "z": float(z[0]),
                "pSince5_24": float(found.p_value[0]),
                "p": float((1 - 0.5 * (1 + np.sign(z) * (1 - np.exp(-2 * z**2 / np.pi))))[0]),
            })
    return cases


# --- SynthID --------------------------------------------------------------------------------


def synthid_hf(keys, length, history=1024):
    return SynthIDTextWatermarkLogitsProcessor(
        ngram_len=length, keys=keys, sampling_table_size=2**16, sampling_table_seed=0,
        context_history_size=history, device=torch.device("cpu"))


class DeepMind(SynthIDLogitsProcessor):
    """The repository's processor with the full vocabulary, called as transformers' is."""

    def __init__(self, keys, length, history=1024):
        super().__init__(ngram_len=length, keys=keys, context_history_size=history,
                         temperature=1.0, top_k=2, device=torch.device("cpu"),
                         apply_top_k=False)

    def __call__(self, input_ids, scores):
        return self.watermarked_call(input_ids, scores)[0]


MAKERS = {"synthid-hf": synthid_hf, "synthid-deepmind": DeepMind}


def bits(values):
    return "".join(str(int(each)) for each in values)


def weighted_mean(g_values, mask):
    """DeepMind's detector_mean.weighted_mean_score, in double precision."""
    depth = g_values.shape[-1]
    weights = np.linspace(10, 1, depth)
    weights *= depth / weights.sum()
    kept = g_values * mask[:, None]
    return (kept * weights).sum() / (depth * mask.sum()), kept.sum() / (depth * mask.sum())


def synthid_values():
    cases = []
    for name, make in MAKERS.items():
        for keys, length in [(DEFAULT_KEYS, 5), (LARGE_KEYS, 3), (DEFAULT_KEYS * 2, 2)]:
            real = make(keys, length)
            tokens = [draw.randrange(260000) for _ in range(12)] + [0, 0, 0, 0, 0, 1]
            tokens += tokens[:10]
            g_values = real.compute_g_values(torch.tensor([tokens]))[0]
            mask = real.compute_context_repetition_mask(torch.tensor([tokens]))[0]
            weighted, mean = weighted_mean(g_values.numpy().astype(float), mask.numpy())
            cases.append({"prf": name, "keys": keys, "ngramLength": length, "tokens": tokens,
                          "g": [bits(row) for row in g_values], "unrepeated": bits(mask),
                          "mean": float(mean), "weightedMean": float(weighted)})
    return cases


def synthid_generations():
    cases = []
    for name, make in MAKERS.items():
        real = make(DEFAULT_KEYS, 3)
        prompt = [5, 6, 7]
        sequence = list(prompt)
        steps = []
        for _ in range(24):
            logits = distinct_logits(8)
            scores = torch.tensor([logits])
            marked = real(torch.tensor([sequence]), scores)
            probabilities = torch.softmax(marked[0].double(), dim=0)
            steps.append({"eighths": [round(8 * each) for each in logits],
                          "marked": not torch.equal(marked, scores),
                          "probabilities": [float(f"{each:.6g}") for each in probabilities]})
            sequence.append(draw.choice([0, 1, 2]))
        cases.append({"prf": name, "ngramLength": 3, "prompt": prompt, "steps": steps,
                      "tokens": sequence})
    return cases


def synthid_memory():
    """Tokens (37 i) mod 2000 for i modulo a period: which contexts transformers still remembers."""
    cases = []
    for period in [1000, 1023, 1024, 1025, 1100]:
        tokens = [37 * (i % period) % 2000 for i in range(2 * period + 10)]
        mask = synthid_hf([1], 3).compute_context_repetition_mask(torch.tensor([tokens]))[0]
        cases.append({"period": period, "length": len(tokens), "unrepeated": int(mask.sum())})
    return cases


# --- vLLM -------------------------------------------------------------------------------------


def philox(counter, key):
    counter, key = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second % 2**32,
                   (first >> 32) ^ counter[3] ^ key[1], first % 2**32]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return counter


def vllm_word(key, context, token, stream=0):
    low, high = key % 2**32, key >> 32
    state = [0x574D4358, len(context), 0, 0]
    for offset in range(0, len(context), 4):
        block = [context[offset + i] % 2**32 if offset + i < len(context) else 2**32 - 1 - i
                 for i in range(4)]
        state = philox([a ^ b for a, b in zip(state, block)], (low ^ offset, high))
    out = philox((token >> 2, *state[:3]),
                 (low ^ state[3] ^ (stream >> 32), high ^ 0x574D544B ^ (stream % 2**32)))
    return out[token & 3]


def vllm_words():
    cases = []
    for width in [1, 2, 3, 4, 5, 8, 9, 16]:
        for key in [0, 42, 2**64 - 1, 0x0123456789ABCDEF]:
            context = [-1] * (width // 2)
            context += [draw.randrange(200000) for _ in range(width - len(context))]
            tokens = [draw.randrange(200000) for _ in range(4)]
            cases.append({"key": str(key), "context": context, "tokens": tokens,
                          "words": [vllm_word(key, context, token) for token in tokens],
                          "stream1": [vllm_word(key, context, token, 1) for token in tokens]})
    return cases


# --- the mixed Gamma tail ---------------------------------------------------------------------


def mixed_tail(count, alpha, value):
    """P((1 - alpha) A + alpha B >= value): the tail of the mixture over whole shapes.

    Partial fractions for small counts. Else the larger scale's Gamma(count) as a negative binomial
    mixture of the smaller scale's, summed over all terms that reach 60 digits' worth.
    """
    alpha, value = mpf(alpha), mpf(value)
    small, large = min(alpha, 1 - alpha), max(alpha, 1 - alpha)
    if small == large:
        return mp.gammainc(2 * count, value / small, regularized=True)
    if count <= 12:
        return by_residues(count, small, large, value)
    hit, x = small / large, value / small
    # P(Poisson(x) < 2 count + K), summed over the Poisson, with the tail of K kept as running sums.
    spread = int(mp.sqrt(x) * 45 + 400)
    shape_spread = int(mp.sqrt(count * (1 - hit)) / hit * 45 + 400)
    mean_k = int(count * (1 - hit) / hit)
    low, high = max(0, min(int(x) - 2 * count, mean_k) - spread - shape_spread), \
        max(int(x) - 2 * count, mean_k) + spread + shape_spread
    weight = mp.exp(mp.loggamma(count + low) - mp.loggamma(low + 1) - mp.loggamma(count)
                    + count * mp.log(hit) + low * mp.log(1 - hit))
    shape = 2 * count + low
    below = mp.gammainc(shape, x, regularized=True)
    mass = mp.exp(shape * mp.log(x) - x - mp.loggamma(shape + 1))
    total = mpf(0)
    for k in range(low, high):
        total += weight * below
        below += mass
        shape += 1
        mass *= x / shape
        weight *= (count + k) * (1 - hit) / (k + 1)
    return total


def by_residues(count, small, large, value):
    """The same by partial fractions of the moment generating function, exact for small counts."""
    p, q = 1 / large, 1 / small
    total = mpf(0)
    for first, second in [(p, q), (q, p)]:
        for j in range(1, count + 1):
            k = count - j
            sign = (-1) ** k
            coefficient = (sign * mp.binomial(count + k - 1, k) * (p * q) ** count
                           / (second - first) ** (count + k) / first**j)
            total += coefficient * mp.gammainc(j, first * value, regularized=True)
    return total


def mixed_tails():
    cases = []
    for count, alpha, values in [
        (1, 0.1, [0.001, 0.5, 1, 3, 30, 700]),
        (2, 0.1, [0.01, 1, 5, 40, 800]),
        (7, 0.3, [1, 6, 9, 30, 200]),
        (12, 0.9, [2, 12, 20, 60, 400]),
        (5, 0.5, [1, 5, 12, 90]),
        (60, 0.1, [20, 55, 62, 100, 250, 900]),
        (500, 0.1, [300, 490, 505, 600, 1000, 1700]),
        (1000, 0.02, [800, 1000, 1100, 2500]),
        (4000, 0.25, [3500, 3990, 4100, 6000]),
        (100000, 0.1, [99000, 100300, 104000]),
    ]:
        for value in values:
            p = mixed_tail(count, alpha, value)
            log = mp.log1p(-(1 - p)) / mp.log(10) if p > 0.5 else mp.log10(p)
            cases.append([count, alpha, value, float(log)])
    return cases


def main():
    write("torch", torch_generator())
    write("hugging-face", {"lists": green_lists(), "generations": green_generations(),
                           "detections": green_detections()})
    write("synthid", {"values": synthid_values(), "generations": synthid_generations(),
                      "memory": synthid_memory()})
    write("vllm", {"words": vllm_words()})
    write("mixed-gamma", {"log10UpperTail": mixed_tails()})


main()
