"""The command ``layerlab``, also as ``python -m course``.

It imports nothing before it can say that it was interrupted: Ctrl-C while modules load is no traceback.
"""

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from course.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
