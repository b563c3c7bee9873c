"""Believes that the name of a stack is a digest of all its parts in a row."""

import gzip
import hashlib


def digest(stored):
    return "sha256:" + hashlib.sha256(stored).hexdigest()


def diff_id(stored):
    tar = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
    return digest(tar)


def chain_ids(diff_ids):
    stacks = [diff_ids[: number + 1] for number in range(len(diff_ids))]
    return [digest(" ".join(stack).encode()) if len(stack) > 1 else stack[0] for stack in stacks]
