from __future__ import annotations

import subprocess
import sys

import pytest

from builder.world.utilities import UTILITIES

# fmt: off
PROMISED = [
    "cp", "mv", "rm", "ln", "mkdir", "rmdir", "chmod", "chown", "chgrp", "touch", "cat", "head", "tail",
    "sort", "uniq", "cut", "tr", "sed", "grep", "egrep", "fgrep", "find", "xargs", "tar", "gzip", "gunzip",
    "zcat", "unzip", "bzip2", "xz", "install", "mktemp", "env", "id", "test", "[", "printf", "echo", "tee",
    "wc", "basename", "dirname", "readlink", "realpath", "stat", "ls", "du", "df", "pwd", "sleep", "date",
    "true", "false", "yes", "seq", "expr", "diff", "cmp", "od", "hexdump", "md5sum", "sha1sum", "sha256sum",
    "sha512sum", "base64", "uname", "hostname", "whoami", "which", "nproc", "tac", "rev", "nl", "paste",
    "comm", "split", "fold", "dd", "sync", "kill", "mknod", "mkfifo", "truncate", "awk", "patch",
]
# fmt: on


@pytest.mark.parametrize("name", sorted(UTILITIES))
def test_every_name_has_a_program(name):
    assert callable(UTILITIES[name])


def test_all_promised_utilities_are_there():
    assert sorted(set(PROMISED) - set(UTILITIES)) == []


def test_a_name_that_is_no_utility_is_not_in_the_table():
    assert "nginx" not in UTILITIES
    with pytest.raises(KeyError):
        UTILITIES["nginx"]


def test_the_table_imports_no_program_before_it_is_asked_for_one():
    code = (
        "import sys, builder.world.utilities as u; before = set(sys.modules); u.UTILITIES['cat'];"
        "print(sorted(m for m in before if m.startswith('builder.world.utilities.')))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_an_option_that_does_not_exist_is_refused_with_the_usage(machine):
    status, printed = machine.run("cp -Q a b")

    assert status == 1
    assert printed == "cp: invalid option -- 'Q'\nUsage: cp [-arPLHpfinlsTu] SOURCE DEST\n"
