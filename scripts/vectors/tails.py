"""Writes test/vectors/tails.json: upper tails by means that share nothing with the code under test.

Binomial and weighted signs: whole-number arithmetic (sums of binomial coefficients, subset counts).
Binomial with very many trials, Gamma, normal: mpmath at 60 digits, positive terms only.
Run: python3 scripts/vectors/tails.py
"""

import bisect
import json
import random
from fractions import Fraction
from math import comb
from pathlib import Path

from mpmath import mp, mpf

mp.dps = 60
TARGET = Path(__file__).resolve().parents[2] / "test" / "vectors" / "tails.json"


def log10_share(part, whole):
    """log10(part / whole) for whole numbers, through the complement when the share is large."""
    if 2 * part > whole:
        return mp.log1p(-(mpf(whole - part) / mpf(whole))) / mp.log(10)
    return mp.log10(mpf(part)) - mp.log10(mpf(whole))


def number(value):
    return float(value)


# --- binomial -------------------------------------------------------------------------------


def binomial_exact(k, n, p):
    """All terms, as integers over the common denominator of the double p."""
    fraction = Fraction(p)
    hit, whole = fraction.numerator, fraction.denominator
    miss = whole - hit
    upper = k > n * p
    part = 0
    term = comb(n, k if upper else k - 1) * hit ** (k if upper else k - 1)
    term *= miss ** (n - (k if upper else k - 1))
    for j in range(k, n + 1) if upper else range(k - 1, -1, -1):
        part += term
        if upper:
            term = term * (n - j) * hit // ((j + 1) * miss)
        else:
            term = term * j * miss // ((n - j + 1) * hit)
    everything = whole**n
    return log10_share(part if upper else everything - part, everything)


def binomial_fair(k, n):
    """P(X >= k), p = 1/2, k >= n / 2: binomial coefficients until the rest is below 1e-45."""
    term = total = comb(n, k)
    j = k
    while j < n:
        term = term * (n - j) // (j + 1)
        j += 1
        total += term
        if term.bit_length() + 170 < total.bit_length():
            break
    return log10_share(total, 1 << n)


def binomial_terms(k, n, p):
    """The same in floating point of 60 digits, for trials or denominators too large for integers."""
    p = mpf(p)
    upper = k > n * p
    j = k if upper else k - 1
    term = mp.exp(
        mp.loggamma(n + 1) - mp.loggamma(j + 1) - mp.loggamma(n - j + 1)
        + j * mp.log(p) + (n - j) * mp.log1p(-p)
    )
    total = mpf(0)
    while 0 <= j <= n and term > total * mpf(10) ** -45:
        total += term
        if upper:
            term *= (n - j) * p / ((j + 1) * (1 - p))
            j += 1
        else:
            term *= j * (1 - p) / ((n - j + 1) * p)
            j -= 1
    return mp.log10(total) if upper else mp.log1p(-total) / mp.log(10)


def binomials():
    rows = []

    def add(k, n, p, value):
        rows.append([k, n, p, number(value)])

    for n, p in [(1, 0.5), (1, 0.999), (2, 0.1), (10, 0.5), (10, 1e-12), (10, 1 - 1e-12), (37, 0.3),
                 (100, 0.5), (100, 0.9), (400, 0.01), (1000, 0.7), (1000, 1e-12), (1500, 0.5)]:
        mean = n * p
        wanted = {1, 2, n // 10, n // 4, n // 2, int(mean), int(mean) + 1, int(mean) + 2,
                  int(mean + 3 * (mean * (1 - p)) ** 0.5), (3 * n) // 4, n - 1, n}
        for k in sorted(wanted):
            if 1 <= k <= n:
                add(k, n, p, binomial_exact(k, n, p))
    for n, ks in [(5000, [2501, 2600, 3000, 4000, 4999]), (40_000, [20_001, 20_500, 30_000, 39_990]),
                  (100_000, [50_010, 51_000, 60_000, 66_800]),
                  (1_000_000, [500_001, 500_500, 502_000, 510_000, 550_000, 607_200, 607_600])]:
        for k in ks:
            add(k, n, 0.5, binomial_fair(k, n))
    million, ten_million = 10**6, 10**7
    for n, p, ks in [(million, 1e-12, [1, 2, 5, 40]),
                     (million, 0.5, [400_000, 480_000, 499_000, 499_999, 500_000]),
                     (million, 0.03, [25_000, 29_500, 30_000, 30_001, 30_002, 31_000, 60_000]),
                     (million, 0.03, [70_000]),
                     (ten_million, 0.5, [4_990_000, 4_999_999, 5_000_000, 5_000_001]),
                     (ten_million, 0.5, [5_005_000, 5_050_000]),
                     (ten_million, 0.3, [2_999_000, 2_999_999, 3_000_000, 3_000_001]),
                     (ten_million, 0.3, [3_010_000, 3_300_000]),
                     (20_000, 0.999, [19_900, 19_950, 19_980, 19_990, 20_000]),
                     (3_400, 0.001, [1, 2, 3, 4, 5, 40, 3_399, 3_400]), (5_000, 0.01, [5_000, 4_990])]:
        for k in ks:
            add(k, n, p, binomial_terms(k, n, p))
    return rows


# --- gamma ----------------------------------------------------------------------------------


def gamma_upper(a, x):
    """Q(a, x) = Q(f, x) + sum of positive terms over f = a - m, Q(f, x) by mpmath; or 1 - series."""
    a, x = mpf(a), mpf(x)
    if x < a:
        term = total = mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1))
        step = a
        while term > total * mpf(10) ** -50:
            step += 1
            term *= x / step
            total += term
        return mp.log1p(-total) / mp.log(10)
    whole = int(mp.floor(a))
    rest = a - whole
    total = mp.gammainc(rest, x, regularized=True) if rest > 0 else mpf(0)
    if whole > 0:
        term = mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))
        step = a - 1
        for _ in range(whole):
            total += term
            term *= step / x
            step -= 1
            if term < total * mpf(10) ** -50:
                break
    return mp.log10(total)


def gammas():
    rows = []
    for a in [1e-6, 1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 7.25, 14.5, 15.5, 40.0, 128.0, 1000.0, 12345.5,
              1e5, 1e6]:
        mean, deviation = a, a**0.5
        values = [mean * 0.5, mean, mean + 1, mean + 1.5, mean - deviation, mean - 6 * deviation,
                  mean + 3 * deviation, mean + 12 * deviation, 1e-3, 0.5, 1.0, 3.0, 100.0, 2302.5,
                  23_000.0, 1.4 * mean]
        for x in sorted(set(values)):
            if x <= 0:
                continue
            value = gamma_upper(a, x)
            if -10_500 < value < mpf(10) ** -300 and value < -mpf(10) ** -290:
                rows.append([a, x, number(value)])
    return rows


# --- normal ---------------------------------------------------------------------------------


def normals():
    rows = []
    for z in [-30, -20, -10, -8, -5, -3, -1, -0.5, -1e-3, 0, 1e-9, 0.1, 0.5, 1, 1.6448536269514722,
              2, 3, 5, 8.5, 9, 12.7, 20, 30, 37.5, 38.6, 50, 77.7, 100, 150, 200, 214.6, 220]:
        upper = mp.erfc(mpf(abs(z)) / mp.sqrt(2)) / 2
        value = mp.log10(upper) if z > 0 else mp.log1p(-upper) / mp.log(10)
        rows.append([z, number(value)])
    return rows


# --- weighted signs -------------------------------------------------------------------------


def subset_counts(groups):
    """Subsets by sum, all exact, packed in one integer: one field of n + 1 bits per sum."""
    members = sum(count for _, count in groups)
    total = sum(weight * count for weight, count in groups)
    field = -(-(members + 1) // 8)
    packed = 1
    for weight, count in groups:
        for _ in range(count):
            packed += packed << (8 * field * weight)
    data = packed.to_bytes(field * (total + 1), "little")
    return [int.from_bytes(data[i * field : (i + 1) * field], "little") for i in range(total + 1)]


def sign_tails(groups, thresholds):
    """P(sum s w >= t): the minuses sum to at most (total - t) / 2."""
    counts = subset_counts(groups)
    members = sum(count for _, count in groups)
    total = len(counts) - 1
    rows = []
    for threshold in thresholds:
        limit = (total - threshold) // 2
        part = sum(counts[: limit + 1])
        rows.append([threshold, number(log10_share(part, 1 << members))])
    return {"groups": groups, "tails": rows}


def two_weights(first, second, thresholds):
    """The weights 1 and 2, many of each: a convolution of two rows of binomial coefficients."""
    total = first + 2 * second
    rows = []
    for threshold in thresholds:
        limit = (total - threshold) // 2
        cumulative, term = [], 1
        running = 0
        for j in range(min(limit, first) + 1):
            running += term
            cumulative.append(running)
            term = term * (first - j) // (j + 1)
        part, term = 0, 1
        for j in range(min(limit // 2, second) + 1):
            part += term * cumulative[min(limit - 2 * j, first)]
            term = term * (second - j) // (j + 1)
        rows.append([threshold, number(log10_share(part, 1 << (first + second)))])
    return {"groups": [[1, first], [2, second]], "tails": rows}


def enumerated(weights, thresholds):
    """Meets in the middle with whole numbers, for up to 40 weights of any size."""
    def sums(part):
        out = [0]
        for weight in part:
            out += [value + weight for value in out]
        return sorted(out)

    left, right = sums(weights[::2]), sums(weights[1::2])
    total = sum(weights)
    rows = []
    for threshold in thresholds:
        limit = (total - threshold) // 2
        part = sum(bisect.bisect_right(right, limit - value) for value in left)
        rows.append([threshold, number(log10_share(part, 1 << len(weights)))])
    return {"weights": weights, "tails": rows}


def signs():
    draw = random.Random(20000)
    lattice = []
    for n, most in [(37, 3), (40, 60), (64, 1000), (256, 40), (1000, 12)]:
        counts = {}
        for _ in range(n):
            weight = draw.randint(1, most)
            counts[weight] = counts.get(weight, 0) + 1
        groups = sorted([weight, count] for weight, count in counts.items())
        total = sum(weight * count for weight, count in groups)
        norm = int(sum(weight * weight * count for weight, count in groups) ** 0.5)
        wanted = {-total, -total + 2, -(total * 9) // 10, -5 * norm, -norm, -1, 0, 1, norm,
                  2 * norm, 5 * norm, 9 * norm, total // 2, (total * 9) // 10, total - 2, total}
        lattice.append(sign_tails(groups, sorted(t for t in wanted if abs(t) <= total)))
    spread = [[1, 30], [1000, 20], [30_000, 5]]
    lattice.append(sign_tails(spread, [1, 29, 31, 30_000, 90_001, 150_000, 169_990, 170_030]))
    deep = [-3000, 1, 1000, 20_000, 45_000, 52_000, 52_250, 52_440]
    lattice.append(two_weights(17_500, 17_500, deep))
    lattice.append(two_weights(300_000, 2_000, [1, 3000, 30_000, 100_000]))
    enumeration = []
    for n, bits in [(1, 5), (2, 40), (9, 12), (20, 45), (30, 20), (36, 40), (40, 45)]:
        weights = [draw.getrandbits(bits) + 1 for _ in range(n)]
        if n == 20:
            weights[:4] = [1, 1, 2, 1 << 45]
        total = sum(weights)
        norm = int(sum(weight * weight for weight in weights) ** 0.5)
        wanted = {-total, -norm, 0, norm, 2 * norm, 3 * norm, (total * 95) // 100, total}
        enumeration.append(enumerated(weights, sorted(t for t in wanted if abs(t) <= total)))
    return {"lattice": lattice, "enumeration": enumeration}


vectors = {"binomial": binomials(), "gamma": gammas(), "normal": normals(), "signs": signs()}
rows = ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in vectors.items())
TARGET.write_text("{\n" + rows + "\n}\n")
print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
