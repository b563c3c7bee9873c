"""Exercise 1.1: the files that three programs need, as the closure over who needs what."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from course.check import Question, Text, Verdict, held

LIBRARIES = "/lib/x86_64-linux-gnu"
LOADER = "/lib64/ld-linux-x86-64.so.2"
# soname -> (the file that the name is a link to, or None; what it needs itself)
SONAMES = {
    "libc.so.6": (None, ()),
    "libm.so.6": (None, ("libc.so.6",)),
    "libz.so.1": ("libz.so.1.2.13", ("libc.so.6",)),
    "libpcre2-8.so.0": ("libpcre2-8.so.0.11.2", ("libc.so.6",)),
    "libcrypto.so.3": (None, ("libc.so.6",)),
    "libssl.so.3": (None, ("libcrypto.so.3", "libc.so.6")),
    "libssh2.so.1": ("libssh2.so.1.0.1", ("libcrypto.so.3", "libz.so.1", "libc.so.6")),
    "libcurl.so.4": ("libcurl.so.4.8.0", ("libssl.so.3", "libssh2.so.1", "libz.so.1", "libc.so.6")),
    "libxml2.so.2": ("libxml2.so.2.9.14", ("libz.so.1", "libm.so.6", "libc.so.6")),
    "libpng16.so.16": ("libpng16.so.16.39.0", ("libz.so.1", "libm.so.6", "libc.so.6")),
}
NAMES = ("fetch", "resize", "report", "indexer", "mailer", "probe")


@dataclass(frozen=True)
class Entry:
    """A file of the machine. ``link``: its target; ``starts_with``: loader or interpreter; ``needs``: sonames."""

    path: str
    link: str = ""
    starts_with: str = ""
    needs: tuple[str, ...] = ()


@dataclass
class Machine:
    """All files, by path, and the programs that are to run."""

    files: dict[str, Entry] = field(default_factory=dict)
    programs: list[str] = field(default_factory=list)

    def add(self, *entries: Entry) -> None:
        self.files.update({entry.path: entry for entry in entries})

    def closure(self, program: str) -> set[str]:
        """Every path that must be there for ``program`` to start."""
        found: set[str] = set()
        waiting = [program]
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            found.add(path)
            entry = self.files[path]
            waiting += [way for way in (entry.link, entry.starts_with) if way]
            waiting += [f"{LIBRARIES}/{soname}" for soname in entry.needs]
        return found


def machine(seed: str) -> Machine:
    """A small Debian with a static program, a dynamic one and a script."""
    dice = random.Random(seed)
    made = Machine()
    real_loader = f"{LIBRARIES}/ld-linux-x86-64.so.2"
    made.add(Entry(LOADER, link=real_loader), Entry(real_loader))
    for soname, (target, needs) in SONAMES.items():
        path = f"{LIBRARIES}/{soname}"
        if target is None:
            made.add(Entry(path, needs=needs))
        else:
            made.add(Entry(path, link=f"{LIBRARIES}/{target}"), Entry(f"{LIBRARIES}/{target}", needs=needs))
    static, dynamic, script = dice.sample(NAMES, 3)
    first = dice.choice(("libcurl.so.4", "libssh2.so.1"))
    needs = (first, dice.choice(("libpcre2-8.so.0", "libxml2.so.2", "libpng16.so.16")), "libc.so.6")
    made.add(
        Entry(f"/usr/bin/{static}"),
        Entry(f"/usr/bin/{dynamic}", starts_with=LOADER, needs=needs),
        Entry(f"/usr/local/bin/{script}.sh", starts_with="/bin/sh"),
        Entry("/bin/sh", link="/bin/dash"),
        Entry("/bin/dash", starts_with=LOADER, needs=("libc.so.6",)),
        Entry("/bin/bash", starts_with=LOADER, needs=("libc.so.6",)),
    )
    made.programs = [f"/usr/bin/{static}", f"/usr/bin/{dynamic}", f"/usr/local/bin/{script}.sh"]
    return made


def listing(made: Machine) -> str:
    """The machine as `ls -l`, `head -1` and `readelf -d` would tell it."""
    return "\n".join(told(entry) for _, entry in sorted(made.files.items()))


def told(entry: Entry) -> str:
    if entry.link:
        return f"{entry.path} -> {entry.link}"
    if entry.path.endswith(".sh"):
        return f"{entry.path}: #!{entry.starts_with}"
    static = not entry.starts_with and entry.path.startswith(("/usr", "/bin"))
    parts = [f"{entry.path}: ELF" + (", static" if static else "")]
    if entry.starts_with:
        parts.append(f"interpreter {entry.starts_with}")
    if entry.needs:
        parts.append("NEEDED " + " ".join(entry.needs))
    return "; ".join(parts)


def questions(seed: str) -> Iterator[Question]:
    made = machine(seed)
    yield Question(
        "plan",
        "program",
        Text("questions.plan", {"programs": ", ".join(made.programs), "libraries": LIBRARIES}),
        dict[str, list[str]],
        {program: [program] for program in made.programs},
        shown=listing(made),
        given={"machine": made},
    )


def judge(plan: Mapping[str, list[str]], seed: str) -> Iterator[Verdict]:
    made = machine(seed)
    for program in made.programs:
        chosen = set(plan.get(program, ()))
        needed = made.closure(program)
        yield held("program", program in chosen, shown=program)
        yield from loaders(made, program, chosen, needed)
        yield from libraries(made, program, chosen, needed)
        yield from links(made, program, chosen, needed)
        more = sorted(chosen - needed)
        because = "unknown" if more and more[0] not in made.files else ""
        if len(needed) == 1 and not because:
            because = "static"
        yield held("nothing-more", not more, because, f"{program}: {more[0]}" if more else "")


def loaders(made: Machine, program: str, chosen: set[str], needed: set[str]) -> Iterator[Verdict]:
    """Whoever starts somebody that is there must be there."""
    for path in sorted(needed & (chosen | {program})):
        starter = made.files[path].starts_with
        if starter:
            because = "script" if path.endswith(".sh") else ""
            yield held("loader", starter in chosen, because, f"{program}: {told(made.files[path])}")


def libraries(made: Machine, program: str, chosen: set[str], needed: set[str]) -> Iterator[Verdict]:
    """Every soname of somebody that is there must be there."""
    for path in sorted(needed & (chosen | {program})):
        for soname in made.files[path].needs:
            because = "" if path == program else "indirect"
            shown = f"{program}: {told(made.files[path])}\n{LIBRARIES}/{soname}"
            yield held("libraries", f"{LIBRARIES}/{soname}" in chosen, because, shown)


def links(made: Machine, program: str, chosen: set[str], needed: set[str]) -> Iterator[Verdict]:
    """A link is nothing without its target."""
    pairs = [(path, made.files[path].link) for path in sorted(needed) if made.files[path].link]
    begun = [pair for pair in pairs if chosen & set(pair)] or pairs
    for path, target in begun:
        yield held("symlinks", {path, target} <= chosen, shown=f"{program}: {told(made.files[path])}")
