"""The nginx example for real: built from source without root, started, asked for its page.

    python examples/nginx/offline/demo.py [--bases offline|store] [--dockerfile FILE] [DIRECTORY]

``make real-demo`` calls it. The bases are stand-ins made of Debian packages (``bases.py``), below DIRECTORY;
with ``--bases store`` those that ``layerlab pull`` or ``load`` has put into the local store. At the end
stands what the simulation made of the same Dockerfile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent
BASES = ("gcc", "glibc")


@dataclass
class Built:
    """What ``layerlab build`` said. ``steps``: (stage, text, seconds) of what was done, in its order."""

    summary: dict[str, Any]
    steps: list[tuple[str, str, float]]
    seconds: float


def layerlab(*words: str) -> list[str]:
    """The command line of layerlab, by this interpreter."""
    return [sys.executable, "-m", "course", *words]


def build(*words: str, state: str | None = None) -> Built:
    """Build, showing each step as it is done; ends the program if that fails. ``state``: another store."""
    began = time.monotonic()
    place = () if state is None else ("--state", state)
    command = layerlab(*place, "build", "--progress", "json", "--json", *words)
    steps: list[tuple[str, str, float]] = []
    texts: dict[tuple[int, int], str] = {}
    names: dict[int, str] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            if not line.startswith("{"):
                print(line, end="")
                continue
            event = json.loads(line)
            match event["event"]:
                case "BuildBegan":
                    names = {stage["index"]: stage["name"] for stage in event["stages"]}
                case "StepBegan":
                    texts[event["stage"], event["step"]] = " ".join(event["text"].split())
                case "StepDone":
                    text = texts[event["stage"], event["step"]]
                    steps.append((names[event["stage"]], text, event["seconds"]))
                    print(f"  {event['seconds']:7.2f} s  [{names[event['stage']]}] {text[:70]}", flush=True)
        out = process.stdout.read()
    if process.returncode:
        sys.exit(process.returncode)
    return Built(json.loads(out), steps, time.monotonic() - began)


def layers(built: Built) -> None:
    """Print the image's layers."""
    for layer in built.summary["layers"]:
        print(f"  {layer['size'] / 1e6:8.2f} MB {layer['entries']:6} entries  {layer['instruction'][:60]}")


def main() -> None:
    """Make bases, build, run, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bases", choices=["offline", "store"], default="offline")
    parser.add_argument("--dockerfile", default=str(EXAMPLE / "Dockerfile"))
    parser.add_argument("directory", nargs="?", type=Path, default=Path(".offline"))
    options = parser.parse_args()
    contexts = []
    if options.bases == "offline":
        print("bases: stand-ins from Debian packages", flush=True)
        subprocess.run([sys.executable, HERE / "bases.py", options.directory], check=True)
        for name in BASES:
            layout = options.directory.absolute() / name
            contexts += ["--build-context", f"skillfir/alpine:{name}=oci-layout://{layout}"]

    dockerfile = ["-f", options.dockerfile, str(EXAMPLE)]
    print("\nbuilding for real (--strategy rootless)", flush=True)
    real = build("--strategy", "rootless", *contexts, "-t", "nginx-real", *dockerfile)
    layers(real)
    print("\nstarting it and asking for the page", flush=True)
    asked = subprocess.run(layerlab("run", "--strategy", "rootless", "nginx-real", "--get", "/"), check=False)
    if asked.returncode:
        sys.exit(asked.returncode)

    print("\nthe same Dockerfile in the simulation", flush=True)
    # In a store of its own: a real base image has the name of the embedded one, and hides it.
    with tempfile.TemporaryDirectory() as state:
        simulated = build(*dockerfile, state=state)
    layers(simulated)
    print(f"\nreal: {real.seconds:.1f} s, simulated: {simulated.seconds:.1f} s")


if __name__ == "__main__":
    main()
