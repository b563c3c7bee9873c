"""Whatever the words of a command line are, a program ends with a status and a message."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builder.world.machine.executable import PROGRAM_MAGIC
from builder.world.machine.network import Serving
from builder.world.programs import PROGRAMS
from builder.world.world import Job

WORDS = [
    "", "-", "--", "-x", "--help", "-o", "-f", "-t", "-y", "-q", "-O", "-C", "-g", "-c", "-D", "-S",
    "=", "a=b", "x=", "update", "install", "add", "del", "remove", "info", "search", "\udcff", "é",
    "a\nb", "/", "/etc", "/etc/passwd", "/binary", "/none", "..", "root", "app", "https://example.com/",
    "http://[", "http://localhost:99999/", "localhost", "https://example.com/%00",
    "https://example.com/" + "a" * 300, "nope.c", "/t.c", "a.out", "-lz", "-I", "-L", "rcs", "show",
    "-W", "curl", "curl=1", "0", "-1", "99999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(PROGRAMS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(st.lists(st.sampled_from(WORDS), max_size=4))
@example(["\udcff"])
@example(["install", "-y", "\udcff"])
@example(["add", "--no-cache", "\udcff"])
@example(["/binary"])
def test_a_program_ends_whatever_it_is_told(machine, name, words):
    here = machine("debian:12-slim" if name.startswith(("apt", "dpkg")) else "skillfir/alpine:gcc")
    here.fs.write_bytes(f"/{name}", PROGRAM_MAGIC + name.encode() + b"\n", 0o755)
    here.fs.write_bytes("/binary", bytes(range(256)))
    here.fs.write_bytes("/t.c", b"\xff\x00int main(void) { return 0; }\n")
    output: list[bytes] = []

    try:
        status = here.world().run(here.fs, Job(argv=(f"/{name}", *words)), output.append)
    except Serving:
        return

    assert 0 <= status < 256


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/group", "/lib/apk/db/installed", "/etc/apk/world", "/etc/apk/repositories"]
)
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\n", b"a:b\n:::\n", b"P:\xff\nV:x\nI:-1\n\n", b"x" * 100_000]
)
def test_broken_files_of_an_image_break_no_program(machine, path, content):
    here = machine("alpine:3.19")
    here.fs.write_bytes(path, content)

    status, _ = here.run(
        "apk update; apk add make; adduser -D app; addgroup crew; addgroup app crew; apk del make"
    )

    assert 0 <= status < 256
