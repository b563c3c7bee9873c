"""Measures and writes the sections of docs/fidelity.md that come from random calls; needs root."""

from differential.measure import main

if __name__ == "__main__":
    raise SystemExit(main())
