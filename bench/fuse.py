"""Programs on the model through FUSE, beside the same on the kernel's overlayfs, in one run; needs root.

    python bench/fuse.py [--source nginx_1.22.1.orig.tar.gz] [--runs 3] [--json]

Promise: configure takes at most twice as long. Without ``--source`` a script like one of its checks is run,
forty times; with it, the ./configure and make of that archive (``apt-get source nginx`` fetches one).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

CHECKS = """
i=0
while [ $i -lt 40 ]; do
  mkdir -p objs; echo "int main(void){return $i & 0;}" > objs/check.c
  cc -o objs/check objs/check.c && objs/check && echo "#define CHECK_$i 1" >> objs/config.h
  grep -q CHECK_$i objs/config.h && cat objs/config.h > objs/copy.h && mv objs/copy.h objs/config.h
  rm -rf objs/check*; i=$((i + 1))
done
"""
SMALL = """
i=0
while [ $i -lt 2000 ]; do echo $i > f$i; i=$((i + 1)); done
cat f* > all; ls -l > list; rm f*
"""
CONFIGURE = "./configure {flags} > /dev/null"
NGINX_FLAGS = "--without-http_rewrite_module --without-http_gzip_module"
KERNEL = """
mount -t tmpfs none {space} && mkdir {space}/u {space}/w {space}/m &&
mount -t overlay none -o lowerdir={lower},upperdir={space}/u,workdir={space}/w {space}/m && cd {space}/m &&
"""


def timed(script: str, folder: str) -> str:
    """A shell script that runs ``script`` in ``folder`` and prints the seconds it took."""
    return f"cd ./{folder} && a=$(date +%s%N) && {{ {script}\n}} && echo $((($(date +%s%N) - a) / 1000000))"


def on_the_kernel(lower: Path, script: str) -> float:
    """Seconds on a real overlay mount, its upper on a tmpfs."""
    with tempfile.TemporaryDirectory() as space:
        prepare = KERNEL.format(space=space, lower=lower)
        return _seconds(["unshare", "-m", "sh", "-c", prepare + script])


def on_the_model(lower: Path, script: str) -> float:
    """Seconds on the model."""
    with tempfile.TemporaryDirectory() as target:
        mount = [sys.executable, "-m", "course", "fs", "mount", "--lower", str(lower), target]
        return _seconds([*mount, "--", "sh", "-c", script])


def _seconds(argv: Sequence[str]) -> float:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{argv[0]}: status {done.returncode}\n{done.stderr}")
    return int(done.stdout.split()[-1]) / 1000


def cases(source: str | None, lower: Path) -> dict[str, tuple[str, str]]:
    """(script, folder) by name; unpacks the source into ``lower``."""
    small = {"2,000 small files": (SMALL, "."), "40 checks as of configure": (CHECKS, ".")}
    if source is None:
        return small
    with tarfile.open(source) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4
        archive.extractall(lower)
    (folder,) = (each.name for each in lower.iterdir())
    flags = NGINX_FLAGS if folder.startswith("nginx") else ""
    configure = CONFIGURE.format(flags=flags)
    both = f"{configure} && make -j2 > /dev/null 2>&1"
    return small | {"configure": (configure, folder), "configure and make -j2": (both, folder)}


def main() -> None:
    """Measure in turn, keep the best of each, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", metavar="TARBALL")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        print("bench/fuse.py: needs root and /dev/fuse, to mount both; nothing was measured", file=sys.stderr)
        return
    measured: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as place:
        lower = Path(place)
        for name, (script, folder) in cases(chosen.source, lower).items():
            pairs = [
                (on_the_kernel(lower, timed(script, folder)), on_the_model(lower, timed(script, folder)))
                for _ in range(chosen.runs)
            ]
            measured[name] = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    if chosen.json:
        print(json.dumps({name: {"kernel": k, "model": m} for name, (k, m) in measured.items()}, indent=2))
        return
    print(f"{'':<28} {'overlayfs':>10} {'model':>10}   ratio")
    for name, (kernel, model) in measured.items():
        print(f"{name:<28} {kernel:8.2f} s {model:8.2f} s {model / kernel:7.2f}")


if __name__ == "__main__":
    main()
