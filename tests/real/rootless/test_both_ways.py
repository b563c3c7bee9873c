"""The same RUN lines on the same base, simulated and for real: the images are the same, file by file.

The base is the embedded ``busybox``. For the real build its toy programs are the machine's busybox; nothing
else differs, and programs are not compared.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.image.difference import Difference, differences
from builder.image.digest import DiffID
from builder.image.image import Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.stores.memory import MemoryStore
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import File, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

LINES_EACH = 12
NAMES = ("a", "b", "d/c", "d/e", "d/s/f", "l", "x y", "-n")
TEXTS = ("one", "two words", "a:b:c", "3", "x*y", "é", "")


class Author:
    """Writes RUN lines from a seed: what a Dockerfile does to files, with a shell around it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def line(self) -> str:
        """One line; it may fail in the middle, but not as a whole."""
        commands = [self.command() for _ in range(self.random.randint(1, 5))]
        joined = commands[0]
        for each in commands[1:]:
            joined += self.random.choice((" && ", "; ", " || ")) + each
        return f"cd /w && {{ {joined}; }} 2>/dev/null; true"

    def name(self) -> str:
        """A path, quoted."""
        return f"'./{self.random.choice(NAMES)}'"

    def command(self) -> str:
        """One command."""
        pick, name = self.random.choice, self.name
        text = pick(TEXTS)
        simple: tuple[Callable[[], str], ...] = (
            lambda: f"echo '{text}' > {name()}",
            lambda: f"echo '{text}' >> {name()}",
            lambda: f"printf '%s\\n' '{text}' b a | sort > {name()}",
            lambda: f"mkdir -p {name()}",
            lambda: f"mkdir -m {pick(('700', '2755', '1777', '0'))} {name()}",
            lambda: f"touch {name()}",
            lambda: f"rm -f {name()}",
            lambda: f"rm -rf {name()}",
            lambda: f"rmdir {name()}",
            lambda: f"cp {name()} {name()}",
            lambda: f"cp -a {name()} {name()}",
            lambda: f"cp -r d {name()}",
            lambda: f"mv {name()} {name()}",
            lambda: f"ln {name()} {name()}",
            lambda: f"ln -s {pick(('a', '../w/a', '/w/d', 'nowhere'))} {name()}",
            lambda: f"ln -sfn {pick(('b', 'd', '/etc/passwd'))} {name()}",
            lambda: f"chmod {pick(('600', '1755', 'u+x', 'go-rwx', '-R a+rX', 'g=u'))} {name()}",
            lambda: f"chown {pick(('33', '33:44', ':7', '-R 5:6', '-h 8:9'))} {name()}",
            lambda: f"cat {name()} {name()} > both",
            lambda: f'f={name()}; test -f "$f" && sed -i \'s/o/0/g;$d\' "$f"',
            lambda: f"grep -c o log > {name()}",
            lambda: f"tar -cf t.tar d && mkdir -p u && tar -xf t.tar -C u; rm -f t.tar; cat {name()}",
            lambda: f"wc -l < {name()} > {name()}",
            lambda: "mkfifo fifo",
            lambda: f"test -{pick('efdLsx')} {name()} && echo yes >> log",
            lambda: f"for i in 1 2 3; do echo $i$A >> {name()}; done",
            lambda: f"if [ -d {name()} ]; then touch {name()}; else mkdir {name()}; fi",
            lambda: "find . -name '*[ab]*' | sort > found",
            lambda: f"(cd d && echo sub > {name()})",
            lambda: "x=$(ls | head -2 | tr '\\n' ,); echo \"$x\" >> log",
            lambda: "f() { echo $1 >> log; return 3; }; f in || echo $? >> log",
            lambda: f"cut -d: -f1 /etc/passwd | head -3 > {name()}",
            lambda: f"truncate -s 5 {name()}",
            lambda: f"dd if=/etc/passwd of={name()} bs=3 count=2",
            lambda: f"ls -A d > {name()}",
            lambda: f"umask 077; echo '{text}' > {name()}",
            lambda: f"xargs touch < {name()}",
            lambda: f"readlink {name()} > {name()}",
            lambda: f"basename {name()} .x >> log; dirname {name()} >> log",
            lambda: "id -u >> log; pwd >> log; echo $A $HOME >> log",
        )
        return pick(simple)()


def dockerfile(seed: int) -> str:
    """A Dockerfile of RUN lines, some by another user, in one or two stages."""
    author = Author(seed)
    text = "FROM busybox AS one\nENV A=env\nRUN mkdir -p /w/d/s && echo 1 > /w/a && chmod 777 /w /w/d\n"
    for number in range(LINES_EACH):
        text += f"RUN {author.line()}\n"
        if number == LINES_EACH // 2:
            text += "WORKDIR /w\nCOPY given /w/given\nUSER 33:44\n"
    return f"{text}FROM busybox\nCOPY --from=one /w /w\nRUN {author.line()}\n"


@pytest.fixture(scope="module")
def real_busybox(real_base: Layer) -> Iterator[tuple[MemoryStore, Descriptor]]:
    """A store with the embedded base image, whose programs are real."""
    store = MemoryStore()
    recipe = Recipe(
        graph=plan(parse("FROM busybox\n")), context=Source(BuildContext(layer({}).freeze()), LABEL)
    )
    with built(recipe, store) as build:
        image: Image = build.result.image
    stored = store.put(pack(with_real_programs(merged(unpack_stack(store, image.layers)), real_base)))
    blob = LayerBlob(replace(stored, media_type=MEDIA_LAYER), DiffID(stored.digest))
    made = Image(image.config, (blob,), (), image.platform, image.created)
    store.put([made.config_bytes()])
    manifest = made.manifest()
    put = store.put([manifest.to_bytes()])
    yield store, Descriptor(manifest.media_type, put.digest, put.size)


def with_real_programs(toys: Layer, programs: Layer) -> Layer:
    """The tree ``toys`` with the machine's busybox in place of each program."""
    content = programs.open("/bin/busybox").read()
    waiting = ["/"]
    while waiting:
        directory = waiting.pop()
        for name in toys.listdir(directory):
            path = f"{directory.rstrip('/')}/{name}"
            if is_directory(toys, path):
                waiting.append(path)
            elif is_program(toys, path):
                toys.remove(path)
                toys.symlink("/bin/.busybox", path)
    real = layer({"/bin/.busybox": File(content, mode=0o755)})
    for name in programs.listdir("/bin"):
        if name != "busybox" and name not in toys.listdir("/bin"):
            toys.symlink("/bin/.busybox", f"/bin/{name}")
    return merged([toys, real])


def is_directory(tree: Layer, path: str) -> bool:
    return (tree.lstat(path).st_mode & 0o170000) == 0o040000


def is_program(tree: Layer, path: str) -> bool:
    if (tree.lstat(path).st_mode & 0o170000) != 0o100000:
        return False
    return bool(tree.open(path).read(4) == b"\x7fSIM")


def tree(text: str, store: MemoryStore, **more: Any) -> Layer:
    """The merged tree of the image."""
    context = BuildContext(layer({"/given": "given\n"}).freeze())
    recipe = Recipe(graph=plan(parse(text)), context=Source(context, LABEL), **more)
    with built(recipe, store) as build:
        return merged(unpack_stack(store, build.result.image.layers))


def known(each: Difference) -> bool:
    """Whether it is about a program: toys are smaller, and what links to them leads elsewhere."""
    return each.path.startswith(("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/lib"))


@pytest.mark.parametrize("seed", range(8))
def test_generated_lines_make_the_same_tree_in_both_worlds(
    real_busybox: tuple[MemoryStore, Descriptor], tmp_path: Path, seed: int
) -> None:
    store, manifest = real_busybox
    text = dockerfile(seed)

    simulated = tree(text, MemoryStore())
    real = tree(
        text,
        store,
        strategy=Strategy.ROOTLESS,
        state_dir=tmp_path,
        images={Reference.parse("busybox"): manifest},
    )

    assert [each for each in differences(simulated, real) if not known(each)] == [], text


def test_the_comparison_finds_what_differs(real_base: Layer) -> None:
    other = merged([real_base, layer({"/w/a": Symlink("b")})])

    assert [each.path for each in differences(real_base, other)] == ["/w", "/w/a"]
