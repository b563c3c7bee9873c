"""Compares the model with the kernel's overlayfs on random sequences of calls; needs root."""

from differential.run import main

if __name__ == "__main__":
    raise SystemExit(main())
