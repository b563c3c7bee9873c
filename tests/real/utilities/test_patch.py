"""patch beside busybox."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

PATCH = "--- x/o\n+++ x/o\n@@ -1,5 +1,6 @@\n a\n-b\n+B\n c\n d\n e\n+f\n"
TWO = "--- q\n+++ q\n@@ -1,2 +1,2 @@\n-a\n+A\n B\n@@ -5,2 +5,2 @@\n e\n-f\n+F\n"
FILES = {
    "o": "a\nb\nc\nd\ne\n",
    "done": "a\nB\nc\nd\ne\nf\n",
    "moved": "new1\nnew2\na\nb\nc\nd\ne\n",
    "other": "x\ny\n",
    "q": "a\nB\nc\nd\ne\nf\n",
    "p": PATCH,
    "moved.p": PATCH.replace("x/o", "x/moved"),
    "done.p": PATCH.replace("x/o", "x/done"),
    "other.p": PATCH.replace("x/o", "x/other"),
    "two.p": TWO,
    "new.p": "--- /dev/null\n+++ b/dir/n\n@@ -0,0 +1,2 @@\n+x\n+y\n",
    "new2.p": "--- /dev/null\n+++ b/o\n@@ -0,0 +1 @@\n+x\n",
    "prose.p": "From: somebody\n\ndiff --git a/o b/o\nindex 1..2 100644\n" + PATCH + "-- \n2.30\n",
    "garbage": "garbage\n",
    "empty": "",
    "x": ("a\nb\nc\nd\ne\n", 0o755),
}  # fmt: skip


def test_patch(same, case):
    same(
        FILES,
        [
            case("patch -p1", stdin=PATCH.encode()),
            case("patch", stdin=TWO.encode()),
            "patch -p1 -i p",
            "patch -p1 -i done.p ; touch -d @5 .",
            "patch -R -p1 -i done.p",
            "patch -p1 -i moved.p",
            "patch -p1 -i other.p ; touch -d @5 .",
            "patch -p1 -N -i done.p ; touch -d @5 .",
            "patch -p1 --dry-run -i p",
            "patch -p1 -i new.p",
            "patch -p1 -i new2.p",
            "patch -p1 -i garbage",
            "patch -p1 -i nope",
            "patch -p1 -i empty",
            "patch o p",
            "patch x p",
            "patch -p0 -i p",
            "patch -p1 -i prose.p",
            "patch -p1 -i p ; patch -p1 -R -i p",
            "patch -Z",
            "patch -p x -i p",
        ],
    )
