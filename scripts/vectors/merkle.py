"""Prints test/vectors/merkle.json: trees and proofs by the recursive definitions of RFC 6962, 2.1.

Usage: python3 scripts/vectors/merkle.py > test/vectors/merkle.json
"""

import hashlib
import json


def sha256(data):
    return hashlib.sha256(data).digest()


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d):
    """Merkle Tree Hash."""
    if not d:
        return sha256(b"")
    if len(d) == 1:
        return sha256(b"\x00" + d[0])
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m, d):
    """Merkle audit path."""
    if len(d) == 1:
        return []
    k = split(len(d))
    return path(m, d[:k]) + [mth(d[k:])] if m < k else path(m - k, d[k:]) + [mth(d[:k])]


def subproof(m, d, b):
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return subproof(m, d[:k], b) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


# The leaves and roots of the Certificate Transparency project's own tests.
LEAVES = [
    bytes.fromhex(text)
    for text in "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f".split("|")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
for size, root in enumerate(ROOTS):
    assert mth(LEAVES[:size]).hex() == root, size

leaves = LEAVES + [f"leaf {number}".encode() for number in range(8, 17)]
sizes = range(len(leaves) + 1)


def hexadecimal(hashes):
    return [value.hex() for value in hashes]


print(
    json.dumps(
        {
            "transparencyRoots": ROOTS,
            "leaves": hexadecimal(leaves),
            "roots": [mth(leaves[:size]).hex() for size in sizes],
            "inclusion": [
                {"index": index, "size": size, "proof": hexadecimal(path(index, leaves[:size]))}
                for size in sizes
                for index in range(size)
            ],
            "consistency": [
                {"first": first, "second": second, "proof": hexadecimal(subproof(first, leaves[:second], True))}
                for second in sizes
                for first in range(1, second + 1)
            ],
        },
        separators=(",", ":"),
    )
)
