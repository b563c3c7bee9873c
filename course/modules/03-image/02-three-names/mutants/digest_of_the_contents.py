"""Believes that a registry names what is in a layer, not how it is stored."""

import gzip
import hashlib


def named(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest(stored):
    return diff_id(stored)


def diff_id(stored):
    tar = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
    return named(tar)


def chain_ids(diff_ids):
    chains = []
    for name in diff_ids:
        chains.append(named(f"{chains[-1]} {name}".encode()) if chains else name)
    return chains
