"""Tries ordinary Python on a kernel overlay mount, in the model and in vanilla pyfakefs; needs root."""

from ordinary.compare import main

if __name__ == "__main__":
    raise SystemExit(main())
