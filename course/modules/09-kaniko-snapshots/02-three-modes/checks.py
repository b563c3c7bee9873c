"""Exercise 9.2: which mode of a scan notices a change; each change is made, and each mode looks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from builder.snapshotters.fingerprint import Mode
from course.check import Question, Text
from course.problems.scans import SECOND, found
from unionfs_sim import Layer
from unionfs_sim.filesystem import Attributes

OLD = 1700000000
MODES = (Mode.FULL, Mode.REDO, Mode.TIME)
LOST_CAUSES = ("same-size-old-time", "too-small", "not-in-a-run", "hash-collision")
GROWN_CAUSES = ("time-counts", "scan-is-broken", "whole-root", "compressed-anew")

Act = Callable[[Layer], object]


def file(content: str) -> dict:
    return {"kind": "file", "mode": 0o644, "owner": 0, "mtime": OLD, "content": content, "capability": ""}


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    name = dice.choice(("app.conf", "limits", "hosts.allow", "version"))
    old, new = dice.choice((("1.0", "1.1"), ("on ", "off"), ("80", "88"), ("yes", "no ")))
    longer = f"{new} (set by build)"
    path, other = f"/etc/{name}", "/etc/.old"
    tree = {
        "/etc": {"kind": "dir", "mode": 0o755, "owner": 0, "mtime": OLD},
        path: file(old),
        "/bin": {"kind": "dir", "mode": 0o755, "owner": 0, "mtime": OLD},
        "/bin/ping": file("program"),
        "/ln": {"kind": "link", "owner": 0, "mtime": OLD, "target": "/run/one"},
    }
    write, again = f"printf '{new}' > {path}", f"printf '{old}' > {path}"
    restore = f"touch -r {other} {path}"
    asked = [
        ("time", "edit", [f"printf '{longer}' > {path}"], written(path, longer)),
        (
            "time",
            "longer-old-time",
            [f"printf '{longer}' > {path}", restore],
            written(path, longer, keep=True),
        ),
        ("time", "chmod", [f"chmod 600 {path}"], lambda root: root.chmod(path, 0o600)),
        ("time", "chown", [f"chown 1000 {path}"], lambda root: root.chown(path, 1000, 0)),
        ("time", "delete", [f"rm {path}"], lambda root: root.unlink(path)),
        ("redo", "same-size", [write], written(path, new)),
        ("redo", "same-size-old-time", [write, restore], written(path, new, keep=True)),
        ("redo", "setcap", ["setcap cap_net_raw+ep /bin/ping"], set_capability),
        ("redo", "link-old-time", ["ln -sfn /run/two /ln", f"touch -h -r {other} /ln"], retarget),
        ("spurious", "touch", [f"touch {path}"], lambda root: root.utime(path)),
        ("spurious", "same-bytes", [again], written(path, old)),
        ("unseen", "read", [f"cat {path}"], lambda root: root.read_bytes(path)),
        (
            "unseen",
            "come-and-gone",
            ["echo > /etc/new", "rm /etc/new", f"touch -r {other} /etc"],
            come_and_gone,
        ),
        ("unseen", "user-xattr", [f"setfattr -n user.note -v x {path}"], note(path)),
    ]
    for group, question, lines, act in asked:
        where = {"setcap": "/bin/ping", "link-old-time": "/ln"}.get(question, path)
        yield seen(group, question, tree, where, lines, act)
    shown = [f"RUN {write} && {restore}", "", "$ /kaniko/executor --snapshot-mode=redo …"]
    yield why(dice, "why-lost", shown, LOST_CAUSES)
    shown = ["RUN update-ca-certificates", "", "$ /kaniko/executor …"]
    yield why(dice, "why-grown", shown, GROWN_CAUSES)


def seen(group: str, name: str, tree: dict, path: str, lines: list[str], act: Act) -> Question:
    """Which modes notice ``act``, and what those would say who believe something else."""
    key = [mode.value for mode in MODES if found(tree, act, mode)]
    every = [mode.value for mode in MODES]
    shows: dict[str, object] = {}
    if "time" not in key and "full" in key:
        shows["time-sees-it"] = every
    if key == ["full"]:
        shows["redo-sees-it"] = ["full", "redo"]
    if group == "spurious":
        shows["no-change"] = []
    if group == "unseen":
        shows["full-sees-it"] = ["full"]
        shows["all-see-it"] = every
    entry = tree[path]
    before = f"{path}: {entry['content']!r}" if entry["kind"] == "file" else f"{path} -> {entry['target']}"
    shown = "\n".join([before, *(f"$ {line}" for line in lines)])
    text = Text("questions.seen")
    return Question(
        name, group, text, list[str], ["full", "redo"], shown, key, shows=shows, given={"shows": shows}
    )


def written(path: str, text: str, *, keep: bool = False) -> Act:
    def act(root: Layer) -> None:
        root.write_bytes(path, text.encode())
        if keep:
            root.setattr(path, Attributes(mtime_ns=OLD * SECOND))

    return act


def set_capability(root: Layer) -> None:
    raw = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw+ep
    root.setxattr("/bin/ping", "security.capability", raw)


def retarget(root: Layer) -> None:
    root.unlink("/ln")
    root.symlink("/run/two", "/ln")
    root.setattr("/ln", Attributes(mtime_ns=OLD * SECOND))


def come_and_gone(root: Layer) -> None:
    root.write_bytes("/etc/new", b"\n")
    root.unlink("/etc/new")
    root.setattr("/etc", Attributes(mtime_ns=OLD * SECOND))


def note(path: str) -> Act:
    return lambda root: root.setxattr(path, "user.note", b"x")


def why(dice: random.Random, name: str, lines: list[str], causes: tuple[str, ...]) -> Question:
    return Question(
        name,
        "why",
        Text(f"questions.{name}"),
        shown="\n".join(lines),
        key=f"causes.{causes[0]}",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(list(causes), 4)],
        shows={cause: f"causes.{cause}" for cause in causes[1:]},
        given={"shows": {}},
    )
