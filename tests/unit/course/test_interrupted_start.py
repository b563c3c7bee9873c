"""Ctrl-C before the command line is there to catch it."""

import subprocess
import sys

INTERRUPT_AT_CLICK = """
import runpy, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
runpy.run_module("course", run_name="__main__")
"""


def test_an_interrupt_while_modules_load_is_one_word_and_130() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT_AT_CLICK], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (130, "interrupted\n")
