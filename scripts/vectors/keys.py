"""Prints test/vectors/keys.json: key derivation, streams and commitments, from hmac and hashlib.

AES-256 is written out from FIPS 197, so nothing here shares code with the implementation.
Usage: python3 scripts/vectors/keys.py > test/vectors/keys.json
"""

import hashlib
import hmac
import json
import math
import struct
import unicodedata


def prefixed(*parts):
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def hkdf(key, salt, info):
    """RFC 5869 with one block of output."""
    pseudorandom = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b"\x01", hashlib.sha256).digest()


def multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def substitution_box():
    box = []
    for value in range(256):
        inverse = next((other for other in range(256) if multiply(value, other) == 1), 0)
        turned = inverse
        for shift in range(1, 5):
            turned ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box.append(turned ^ 0x63)
    return box


BOX = substitution_box()
DOUBLE = [multiply(value, 2) for value in range(256)]
TRIPLE = [multiply(value, 3) for value in range(256)]


def round_keys(key):
    words = [key[start : start + 4] for start in range(0, 32, 4)]
    constant = 1
    for index in range(8, 60):
        word = words[-1]
        if index % 8 == 0:
            word = bytes(BOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = multiply(constant, 2)
        elif index % 8 == 4:
            word = bytes(BOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return [b"".join(words[start : start + 4]) for start in range(0, 60, 4)]


def encrypt(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 15):
        state = [BOX[byte] for byte in state]
        state = [state[(index + 4 * (index % 4)) % 16] for index in range(16)]
        if number < 14:
            mixed = []
            for column in range(0, 16, 4):
                a = state[column : column + 4]
                for row in range(4):
                    mixed.append(
                        DOUBLE[a[row]]
                        ^ TRIPLE[a[(row + 1) % 4]]
                        ^ a[(row + 2) % 4]
                        ^ a[(row + 3) % 4]
                    )
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[number])]
    return bytes(state)


# FIPS 197, appendix C.3.
assert (
    encrypt(round_keys(bytes(range(32))), bytes.fromhex("00112233445566778899aabbccddeeff")).hex()
    == "8ea2b7ca516745bfeafc49904b496089"
)


def keystream(key, domain, length):
    keys = round_keys(hmac.new(key, prefixed("touchmark/v1/stream", domain), hashlib.sha256).digest())
    blocks = (encrypt(keys, counter.to_bytes(16, "big")) for counter in range(-(-length // 16)))
    return b"".join(blocks)[:length]


def uniforms(stream):
    words = struct.unpack(f"<{len(stream) // 4}I", stream)
    return [((a >> 5) * 2**26 + (b >> 6)) / 2**53 for a, b in zip(words[::2], words[1::2])]


def normals(stream):
    result = []
    numbers = uniforms(stream)
    for first, second in zip(numbers[::2], numbers[1::2]):
        radius = math.sqrt(-2 * math.log(1 - first))
        result += [radius * math.cos(2 * math.pi * second), radius * math.sin(2 * math.pi * second)]
    return result


def canonical(value):
    if isinstance(value, str):
        return prefixed("touchmark/v1/input/text") + unicodedata.normalize("NFC", value).encode()
    shape, data = value["shape"], value["data"]
    numbers = struct.pack(f"<{len(shape) + 1}I", len(shape), *shape)
    values = b"".join(struct.pack("<f", number + 0.0) for number in data)
    return prefixed("touchmark/v1/input/tensor") + numbers + values


ROOT = bytes(range(32))
PURPOSES = [
    "probability-signs",
    "probability-carriers",
    "probability-per-query",
    "probability-direction",
    "label-coins",
    "text-contexts",
    "text-keystream",
    "text-hugging-face",
    "text-synthid",
    "text-vllm",
    "trap-lots",
]
COIN_PURPOSES = ["label-coins", "probability-per-query"]


def children(node):
    """128 seeds of 32 bytes: the AES-256-CTR key stream of the node from counter zero."""
    keys = round_keys(node)
    stream = b"".join(encrypt(keys, counter.to_bytes(16, "big")) for counter in range(256))
    return [stream[start : start + 32] for start in range(0, 4096, 32)]


def coin_seeds(key):
    return [seed for node in children(key) for seed in children(node)]


def coin_root(seeds):
    level = [hashlib.sha256(b"\0" + seed).digest() for seed in seeds]
    while len(level) > 1:
        level = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2])]
    return level[0]


def coin(seeds, digest):
    seed = seeds[int.from_bytes(digest[:2], "big") >> 2]
    return hmac.new(seed, prefixed("touchmark/v1/bit") + digest, hashlib.sha256).digest()[0] & 1


def purpose_commitment(purpose, key):
    if purpose in COIN_PURPOSES:
        return coin_root(coin_seeds(key))
    return hashlib.sha256(prefixed("touchmark/v1/purpose-commitment", key)).digest()


def epoch_commitment(key, tenant, epoch):
    parts = []
    for purpose in PURPOSES:
        own = hkdf(key, b"", prefixed("touchmark/v1/purpose", purpose))
        parts += [purpose, purpose_commitment(purpose, own)]
    named = prefixed("touchmark/v1/epoch-commitment", tenant, epoch, *parts)
    return hashlib.sha256(named).hexdigest()



epochs = []
for tenant, epoch, beacon in [
    ("acme", "e1", b""),
    ("acme", "e2", b""),
    ("acme", "e1", bytes(range(100, 132))),
    ("ab", "c", b""),
    ("a", "bc", b""),
    ("Zürich 株式会社", "e10", bytes(range(64))),
]:
    key = hkdf(ROOT, beacon, prefixed("touchmark/v1/epoch", tenant, epoch))
    commitment = epoch_commitment(key, tenant, epoch)
    epochs.append(
        {
            "tenant": tenant,
            "epoch": epoch,
            "beacon": beacon.hex(),
            "key": key.hex(),
            "commitment": f"sha256:{commitment}",
            "purposes": {
                purpose: hkdf(key, b"", prefixed("touchmark/v1/purpose", purpose)).hex()
                for purpose in PURPOSES
            },
        }
    )

ROOT_SEEDS = coin_seeds(ROOT)
stream = keystream(ROOT, "carriers/direction", 8192 + 64)
inputs = ["", " to be, or not ", "e\u0301te\u0301", "株", {"shape": [2, 2], "data": [1.5, -0.0, 0.1, -3]}, {"shape": [], "data": [2]}, {"shape": [4], "data": [1.5, 0, 0.1, -3]}, {"shape": [0], "data": []}]
messages = [b"", b"a", hashlib.sha256(b"question").digest(), bytes(range(40))]

print(
    json.dumps(
        {
            "root": ROOT.hex(),
            "ringKey": hkdf(ROOT, b"", prefixed("touchmark/v1/key-ring")).hex(),
            "sealingKey": hkdf(ROOT, b"", prefixed("touchmark/v1/trap-sets")).hex(),
            "epochs": epochs,
            "coins": {
                "root": coin_root(ROOT_SEEDS).hex(),
                "bits": [
                    {"digest": digest.hex(), "bit": coin(ROOT_SEEDS, digest)}
                    for digest in (hashlib.sha256(bytes([i])).digest() for i in range(32))
                ],
            },
            "stream": {
                "domain": "carriers/direction",
                "firstBytes": stream[:48].hex(),
                "bytesFrom8180": stream[8180:8220].hex(),
                "uint32": list(struct.unpack("<8I", stream[:32])),
                "uniform": uniforms(stream[:64]),
                "normal": normals(stream[:64]),
                "sign": [1 if word & 1 else -1 for word in struct.unpack("<16I", stream[:64])],
            },
            "bits": [
                {
                    "message": message.hex(),
                    "bit": hmac.new(ROOT, prefixed("touchmark/v1/bit") + message, hashlib.sha256).digest()[0] & 1,
                }
                for message in messages
            ],
            "inputs": [
                {
                    "input": value,
                    "bytes": canonical(value).hex(),
                    "digest": hashlib.sha256(canonical(value)).hexdigest(),
                }
                for value in inputs
            ],
        },
        indent=1,
        ensure_ascii=True,
    )
)
