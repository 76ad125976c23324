"""Prints test/vectors/native-text.json: the native pseudorandom function of text.

Written from its definition over the AES of the `cryptography` package; nothing here shares code with
the implementation. Key derivation is HKDF-SHA256 as in keys.py.
Usage: python3 scripts/vectors/native-text.py > test/vectors/native-text.json
"""

import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

GREEN, COARSE, FINE, LEAVES = 1, 2, 3, 4


def purpose_key(epoch_key, purpose):
    parts = [b"touchmark/v1/purpose", purpose.encode()]
    info = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    pseudorandom = hmac.new(bytes(32), epoch_key, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b"\x01", hashlib.sha256).digest()


def encrypt(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


class Native:
    def __init__(self, epoch_key, width):
        self.contexts = purpose_key(epoch_key, "text-contexts")
        self.keystream = purpose_key(epoch_key, "text-keystream")
        self.width = width

    def seed(self, domain, context):
        """CBC-MAC of (domain, width) and the tokens, four little-endian words per block, rest -1."""
        assert len(context) == self.width
        words = [domain | self.width << 16, *context]
        words += [-1] * (-len(words) % 4)
        state = bytes(16)
        for at in range(0, len(words), 4):
            block = struct.pack("<4I", *(word % 2**32 for word in words[at : at + 4]))
            state = encrypt(self.contexts, bytes(a ^ b for a, b in zip(state, block)))
        return state

    def block(self, domain, context, index):
        seed = self.seed(domain, context)
        last = struct.unpack("<I", seed[12:])[0] ^ index
        return encrypt(self.keystream, seed[:12] + struct.pack("<I", last))

    def green(self, context, token, planes, threshold):
        number = 0
        for plane in range(planes):
            block = self.block(GREEN, context, (token // 128) * planes + plane)
            number = 2 * number + (block[token % 16] >> 7 - token % 128 // 16 & 1)
        return int(number < threshold)

    def uniform(self, context, token):
        """The numerator of u = (n + 1/2) / 2^40."""
        coarse = self.block(COARSE, context, token // 16)[token % 16]
        fine = struct.unpack("<4I", self.block(FINE, context, token // 4))[token % 4]
        return coarse * 2**32 + fine

    def leaves(self, context, token, depth):
        words = []
        for word in range((depth + 31) // 32):
            block = self.block(LEAVES + word, context, token // 4)
            bits = min(32, depth - 32 * word)
            words.append(struct.unpack("<4I", block)[token % 4] % 2**bits)
        return words


def case(name, context, tokens):
    key = hashlib.sha256(name.encode()).digest()
    prf = Native(key, len(context))
    shares = [(0.5, 1, 1), (0.25, 2, 1), (0.625, 3, 5), (2**-16, 16, 1), (1 - 2**-16, 16, 65535)]
    return {
        "epochKey": key.hex(),
        "context": context,
        "tokens": tokens,
        "green": [
            {"share": share, "bits": [prf.green(context, token, planes, limit) for token in tokens]}
            for share, planes, limit in shares
        ],
        "uniforms": [str(prf.uniform(context, token)) for token in tokens],
        "leaves": [
            {"depth": depth, "words": [prf.leaves(context, token, depth) for token in tokens]}
            for depth in (1, 30, 32, 65)
        ],
    }


def main():
    tokens = [0, 1, 2, 3, 4, 15, 16, 127, 128, 129, 255, 32000, 50256, 131071, 2**24 - 1, 2**31 - 1]
    widths = [0, 1, 2, 3, 4, 5, 7, 8, 16]
    cases = [
        case(f"native text {width}", [(7919 * (at + 1)) % 131072 for at in range(width)], tokens)
        for width in widths
    ]
    cases.append(case("native text zeros", [0, 0], tokens))
    note = "Native text PRF; printed by scripts/vectors/native-text.py. u = (uniform + 1/2) / 2^40."
    print(json.dumps({"note": note, "cases": cases}, separators=(",", ":")))


main()
