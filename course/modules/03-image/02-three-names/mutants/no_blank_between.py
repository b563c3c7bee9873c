"""Strings both names together."""

import gzip
import hashlib


def digest(stored):
    return "sha256:" + hashlib.sha256(stored).hexdigest()


def diff_id(stored):
    tar = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
    return digest(tar)


def chain_ids(diff_ids):
    chains = []
    for name in diff_ids:
        chains.append(digest(f"{chains[-1]}{name}".encode()) if chains else name)
    return chains
