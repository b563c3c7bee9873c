"""COPY, ADD, WORKDIR, ENV and their kin, beside the BuildKit inside a dockerd that the tests start.

The daemon's API is asked directly (``POST /build?version=2``), with a context that it fetches from a web
server here: neither buildx nor a registry is needed. Every Dockerfile begins FROM scratch.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import http.client
import http.server
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import oracles
import pytest
from oracles import recorded

from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.errors import BuildError
from builder.image.difference import differences
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.stores.memory import MemoryStore
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.unpack import read_layer

_SECONDS = 60
_EMPTY = (None, "", [], {}, False)

GOOD = {
    "a file to a name": "COPY a /x",
    "a file to a directory": "COPY a /x/",
    "a file to the root": "COPY a /",
    "a file to a dot": "WORKDIR /w\nCOPY a .",
    "a file to a relative name": "WORKDIR /w\nCOPY a sub/b",
    "a file above the root": "COPY a ../../x",
    "two files": "COPY a b.txt /x/",
    "a directory": "COPY d /x",
    "a directory with a slash": "COPY d/ /x/",
    "a directory and a dot": "COPY d/. /x",
    "the whole context": "COPY . /all",
    "almost everything by wildcard": "COPY [abdefhlmo]* /all/",
    "a wildcard that matches files": "COPY *.txt /x/",
    "a wildcard that matches one file to a name": "COPY b.t?t /x",
    "a wildcard that matches a directory": "COPY d* /x/",
    "a wildcard below a directory": "COPY d/*/y /x/",
    "a wildcard that matches nothing beside one that matches": "COPY a *.none /x/",
    "a character class": "COPY [ab]* /x/",
    "an escaped wildcard": "COPY odd\\[1\\] /x/",
    "a leading slash": "COPY /a /x",
    "a merge": "COPY d /x\nCOPY e /x",
    "a merge of modes": "COPY e /x\nCOPY d /x",
    "a file over a file": "COPY a /x\nCOPY b.txt /x",
    "a file into an existing directory": "COPY d /x\nCOPY a /x",
    "a symlink to a file": "COPY link /x",
    "a symlink to a file into a directory": "COPY link /x/",
    "a symlink to a directory": "COPY dlink /x",
    "symlinks inside a directory": "COPY links /x",
    "a symlink by wildcard": "COPY lin* /x/",
    "through a symlink in the destination": "COPY links /x\nCOPY a /x/up/new",
    "into a symlink to a directory": "COPY links /x\nCOPY a /x/todir/",
    "to a symlink that leads nowhere": "COPY links /x\nCOPY a /x/nowhere",
    "a file over a symlink to a file": "COPY links /x\nCOPY b.txt /x/tofile",
    "chown by number": "COPY --chown=3:4 d /x",
    "chown without a group": "COPY --chown=7 a /x/y/z",
    "chown by name": "COPY etc /etc\nCOPY --chown=web a /x",
    "chown by name and group": "COPY etc /etc\nCOPY --chown=web:staff a /x",
    "chown by name and number": "COPY etc /etc\nCOPY --chown=web:9 a /x",
    "chmod": "COPY --chmod=600 a /x",
    "from a stage": "COPY d /out\nFROM scratch\nCOPY --from=0 /out /x",
    "from a named stage keeps owners": "COPY --chown=5:6 d /out\nFROM scratch\nCOPY --from=base /out/y /x",
    "hard links": "COPY hard /x",
    "setuid and sticky": "COPY modes /x",
    "an archive": "ADD a.tar.gz /x",
    "an archive into a directory": "ADD a.tar.gz /x/",
    "an archive over a directory": "COPY d /x/sub\nADD a.tar.gz /x/",
    "an archive of another compression": "ADD a.tar.bz2 /x/",
    "an archive that is copied": "COPY a.tar.gz /x/",
    "a file called an archive": "ADD fake.tar.gz /x/",
    "add of a file": "ADD a /x",
    "a workdir": "WORKDIR /a/b",
    "relative workdirs": "WORKDIR /a\nWORKDIR b\nWORKDIR ../c",
    "a workdir that is there": "COPY d /a\nWORKDIR /a",
    "a workdir through a symlink": "COPY links /x\nWORKDIR /x/todir/new",
    "a workdir and a user": "COPY etc /etc\nUSER web\nWORKDIR /a/b",
    "env": 'ENV A=1 B="two words" C=$A\nENV D ${A:-x} y\nENV A=2 E=$A',
    "labels": 'LABEL a=b "c d"=e\nLABEL a=f',
    "ports": "EXPOSE 80 53/udp 8000-8002\nEXPOSE 80",
    "volumes": 'VOLUME /data\nVOLUME ["/a", "/b"]',
    "user": "USER web:staff",
    "commands": 'CMD echo hi\nENTRYPOINT ["a", "b c"]',
    "an entry point alone": "ENTRYPOINT exec top -b",
    "an empty command": "CMD []",
    "quotes in a command": 'CMD ["a\\"b", "\\\\", "\\u00e9\\n"]',
    "a stop signal": "STOPSIGNAL SIGTERM",
    "a shell": 'SHELL ["/bin/x", "-c"]\nCMD hi',
    "a health check": "HEALTHCHECK --interval=90s --timeout=1h --retries=3 CMD true",
    "no health check": "HEALTHCHECK NONE",
    "onbuild": "ONBUILD COPY . /src",
    "onbuild of a stage": "ONBUILD COPY a /from-trigger\nFROM base",
    "a maintainer": "MAINTAINER somebody <a@b>",
    "arguments": "ARG V=1\nARG W\nARG X=${V}2\nENV E=$X\nLABEL w=$W",
    "a platform argument": "ARG TARGETARCH\nENV T=$TARGETARCH",
    "an argument after a variable": "ENV A=1\nARG A=2\nENV B=$A\nLABEL l=$A",
    "an argument without a value after a variable": "ENV A=1\nARG A\nENV B=$A",
    "a variable after an argument": "ARG A=2\nENV A=1\nENV B=$A",
    "an argument of the stage below": "ARG A=1\nARG B\nFROM base\nENV C=$A${B:-none}",
    "a variable over an argument of the stage below": "ENV A=1\nARG A=2\nFROM base\nENV B=$A",
    "two sources into a directory that is there": "COPY d /x\nCOPY a b.txt /x",
    "several matches into a directory that is there": "COPY d /x\nCOPY *.txt /x",
    "a wildcard beside a symlink to a directory": "COPY */x /x/",
    "two wildcards beside symlinks": "COPY */*/y /x/",
    "a wildcard below a symlink to a directory": "COPY dlink/*/y /x/",
    "an archive whose entries are in the way": "COPY clash /x\nADD clash.tar /x",
    "an archive that climbs by a symlink": "ADD climb.tar /x/sub",
    "an archive with an absolute symlink": "COPY etc /x/etc\nADD absolute.tar /x",
    "an archive with hard links": "ADD hard.tar /x",
    "an entry point after an inherited command": 'CMD ["c"]\nFROM base\nENTRYPOINT ["e"]',
}
BAD = {
    "a source that is not there": "COPY none /x",
    "a directory over a file": "COPY a /x/s\nCOPY d /x",
    "a file over a directory": "COPY clash /x\nCOPY d /x",
    "two kinds of one name by wildcard": "COPY * /all/",
    "below a file": "COPY a /x\nCOPY b.txt /x/y",
    "an archive with an entry below a symlink that leads nowhere": "COPY etc /etc\nADD absolute.tar /x",
    "a source in a stage that is not there": "COPY a /a\nFROM scratch\nCOPY --from=0 /none /x",
}


def write_context(top: Path) -> None:
    """The files that every Dockerfile copies from."""
    for directory in ("d/s/t", "d/u", "e/s", "clash/y", "links", "hard", "etc", "modes/sticky"):
        (top / directory).mkdir(parents=True)
    texts = {
        "a": "a",
        "b.txt": "another size, because docker compares size and time alone",
        "c.txt": "c",
        "odd[1]": "odd",
        "d/x": "x",
        "d/y": "y",
        "d/s/y": "sy",
        "d/s/t/z": "z",
        "e/s/new": "new",
        "e/x": "other x",
        "hard/one": "one",
        "modes/suid": "s",
        "etc/passwd": "root:x:0:0::/:/bin/sh\nweb:x:33:44::/:/bin/sh\n",
        "etc/group": "root:x:0:\nstaff:x:50:\n",
        "fake.tar.gz": "not an archive",
    }
    for name, text in texts.items():
        (top / name).write_text(text)
    os.link(top / "hard/one", top / "hard/two")
    links = {
        "link": "a",
        "dlink": "d",
        "links/tofile": "../../a",
        "links/todir": "/d",
        "links/up": "..",
        "links/nowhere": "/no/where",
    }
    for name, target in links.items():
        (top / name).symlink_to(target)
    for name, mode in {
        "d/s": 0o750,
        "d/x": 0o640,
        "e/s": 0o711,
        "modes/suid": 0o4755,
        "modes/sticky": 0o1777,
    }.items():
        (top / name).chmod(mode)
    for suffix, compress in (("gz", partial(gzip.compress, mtime=0)), ("bz2", bz2.compress)):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name, kind in (
                ("sub", tarfile.DIRTYPE),
                ("sub/f", tarfile.REGTYPE),
                ("sub/l", tarfile.SYMTYPE),
            ):
                member = tarfile.TarInfo(name)
                member.type, member.mode, member.uid, member.gid = kind, 0o710, 11, 12
                member.linkname = "f" if kind == tarfile.SYMTYPE else ""
                member.size = 4 if kind == tarfile.REGTYPE else 0
                tar.addfile(member, io.BytesIO(b"file"))
        (top / f"a.tar.{suffix}").write_bytes(compress(stream.getvalue()))

    archives = {
        "clash.tar": [("y", "file", "now"), ("f", "dir", ""), ("f/in", "file", "in"), ("s", "link", "f")],
        "climb.tar": [("l", "link", ".."), ("l/etc/f", "file", "f"), ("l/../g", "file", "g")],
        "absolute.tar": [("l", "link", "/etc"), ("l/f", "file", "f"), ("h", "hard", "l/f")],
        "hard.tar": [("a", "file", "a"), ("b", "hard", "a"), ("s", "link", "a"), ("d/c", "hard", "b")],
    }
    (top / "clash/f").write_text("was a file")
    (top / "clash/s").mkdir()
    for name, members in archives.items():
        write_archive(top / name, members)


def write_archive(path: Path, members: list[tuple[str, str, str]]) -> None:
    """A tar of (name, kind, body or target)."""
    kinds = {
        "file": tarfile.REGTYPE,
        "dir": tarfile.DIRTYPE,
        "link": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
    }
    with tarfile.open(path, "w") as tar:
        for name, kind, value in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kinds.get(kind, tarfile.REGTYPE), 0o750
            member.linkname = value if kind in ("link", "hard") else ""
            member.size = len(value) if kind == "file" else 0
            tar.addfile(member, io.BytesIO(value.encode()))


@dataclass(frozen=True)
class Built:
    """What a builder made: None for everything if it refused."""

    tree: Layer | None = None
    config: dict | None = None
    history: list[tuple[str, bool]] | None = None
    error: str = ""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)


class Daemon:
    """A dockerd on a socket, and the contexts that it fetches."""

    def __init__(self, path: Path) -> None:
        self.socket = str(path / "docker.sock")
        self.contexts: dict[str, bytes] = {}
        contexts = self.contexts

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = contexts[self.path]
                self.send_response(200)
                self.send_header("Content-Type", "application/x-tar")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        """What the daemon answers."""
        with closing(_UnixConnection(self.socket)) as connection:
            connection.request(method, target, body, {"Content-Type": "application/x-tar"} if body else {})
            return connection.getresponse().read()

    def build(self, number: int, context: bytes, network: str = "default") -> Built:
        """What BuildKit makes of a context with a Dockerfile."""
        path = f"/{number}.tar"
        self.contexts[path] = context
        remote = f"http://127.0.0.1:{self.server.server_port}{path}"
        answer = self.ask(
            "POST", f"/v1.41/build?version=2&remote={remote}&t=case:{number}&networkmode={network}"
        )
        for line in answer.splitlines():
            said = json.loads(line)
            if "error" in said:
                return Built(error=said["error"])
        image = f"/v1.41/images/case:{number}"
        document = json.loads(self.ask("GET", f"{image}/json"))
        if not document["RootFS"].get("Layers"):  # docker cannot save an image without layers
            entries = [
                (entry["CreatedBy"], True) for entry in json.loads(self.ask("GET", f"{image}/history"))
            ]
            return Built(Layer(), document["Config"], entries[::-1])
        with tarfile.open(fileobj=io.BytesIO(self.ask("GET", f"{image}/get"))) as tar:
            return saved(tar)


def saved(archive: tarfile.TarFile) -> Built:
    """The image in an archive as ``docker save`` writes it."""

    def read(name: str) -> bytes:
        member = archive.extractfile(name)
        assert member is not None
        return member.read()

    (manifest,) = json.loads(read("manifest.json"))
    document = json.loads(read(manifest["Config"]))
    layers = [read_layer(io.BytesIO(read(name))) for name in manifest["Layers"] or []]
    entries = [
        (entry.get("created_by", ""), entry.get("empty_layer", False)) for entry in document["history"] or []
    ]
    return Built(merged(layers), document["config"], entries)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("dockerd")) as found:
        yield found


@contextmanager
def running(path: Path) -> Iterator[Daemon]:
    """A dockerd whose files lie at ``path``; it is ended and they are removed."""
    path.mkdir(exist_ok=True)
    found = Daemon(path)
    words = ["dockerd", "--bridge=none", "--iptables=false", "--storage-driver=vfs"]
    words += [f"--data-root={path}/data", f"--exec-root={path}/exec", f"--pidfile={path}/pid"]
    with (path / "log").open("wb") as log:
        child = subprocess.Popen([*words, "-H", f"unix://{found.socket}"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                found.ask("GET", "/_ping")
                break
            except OSError:
                assert child.poll() is None, (path / "log").read_text()
                assert time.monotonic() < deadline, (path / "log").read_text()
                time.sleep(0.1)
        yield found
    finally:
        child.terminate()
        child.wait(_SECONDS)
        found.server.shutdown()
        found.server.server_close()
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("context")
    write_context(top)
    return top


@pytest.fixture(scope="module")
def theirs(request: pytest.FixtureRequest, context: Path) -> dict[str, Built]:
    """What BuildKit makes of every case, or made once."""

    def ask() -> dict[str, list[object]]:
        asked = answers(request.getfixturevalue("daemon"), context)
        return {name: written(each) for name, each in asked.items()}

    return {name: read(each) for name, each in recorded("buildkit", oracles.docker, ask).items()}


def written(built: Built) -> list[object]:
    """What a builder made, as JSON can hold it."""
    tree = None if built.tree is None else base64.b64encode(b"".join(pack(built.tree))).decode()
    return [tree, built.config, built.history, built.error]


def read(record: list[Any]) -> Built:
    """What ``written`` wrote."""
    tree, config, history, error = record
    layer = None if tree is None else merged([read_layer(io.BytesIO(base64.b64decode(tree)))])
    return Built(
        layer, config, None if history is None else [(line, empty) for line, empty in history], error
    )


def answers(daemon: Daemon, context: Path) -> dict[str, Built]:
    """What BuildKit makes of every case; asked for all at once, because it waits more than it works."""

    def one(job: tuple[int, tuple[str, str]]) -> tuple[str, Built]:
        number, (name, body) = job
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(context, ".")
            dockerfile = f"FROM scratch AS base\n{body}\n".encode()
            member = tarfile.TarInfo("Dockerfile")
            member.size = len(dockerfile)
            tar.addfile(member, io.BytesIO(dockerfile))
        return name, daemon.build(number, stream.getvalue())

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(one, enumerate((GOOD | BAD).items())))


def ours(context: Path, body: str) -> Built:
    """What this project makes of a case."""
    from unionfs_sim.host.layer import HostDirectory

    dockerfile = f"FROM scratch AS base\n{body}\n"
    (context / "Dockerfile").write_text(dockerfile)
    store = MemoryStore()
    with HostDirectory(context) as files:
        tree = BuildContext(files)
        try:
            graph = plan(parse(dockerfile))
            recipe = Recipe(graph=graph, context=Source(tree, LABEL, tree.hint))
            with built(recipe, store) as done:
                image = done.result.image
        except BuildError as error:
            return Built(error=str(error))
    history = [(entry.created_by, entry.empty_layer) for entry in image.history]
    return Built(merged(unpack_stack(store, image.layers)), image.config.document(), history)


@pytest.mark.parametrize("name", GOOD)
def test_the_image_is_the_one_that_buildkit_makes(theirs: dict[str, Built], context: Path, name: str) -> None:
    wanted, found = theirs[name], ours(context, GOOD[name])

    assert (wanted.error, found.error) == ("", "")
    assert wanted.tree is not None and found.tree is not None
    known = [each for each in differences(wanted.tree, found.tree) if not each.path.endswith("Dockerfile")]
    assert known == []
    assert comparable(found.config or {}) == comparable(wanted.config or {})
    lines = [_as_of_2023(line) for line, _ in found.history or []]
    assert lines == [line for line, _ in wanted.history or []]
    # BuildKit keeps an empty layer for a step that changed nothing; here there is none.
    assert all(is_empty for (_, is_empty), (_, theirs_is) in _pairs(found, wanted) if theirs_is)


def _pairs(found: Built, wanted: Built) -> list[tuple[tuple[str, bool], tuple[str, bool]]]:
    return list(zip(found.history or [], wanted.history or [], strict=True))


def _as_of_2023(line: str) -> str:
    """A history line without what BuildKit writes since: flags, the fourth time of a check, platforms."""
    line = line.removesuffix("=amd64") if line.startswith("ARG TARGETARCH") else line
    line = re.sub(r" --ch(own|mod)=\S+", "", line)
    return line.replace(' "0s" "0s" \'', ' "0s" \'')


def comparable(config: dict) -> dict:
    """Without what is empty, and without a field of docker's that means nothing on Linux."""
    return {name: value for name, value in config.items() if name != "ArgsEscaped" and value not in _EMPTY}


@pytest.mark.parametrize("name", BAD)
def test_what_buildkit_refuses_is_refused(theirs: dict[str, Built], context: Path, name: str) -> None:
    assert theirs[name].error != ""
    assert ours(context, BAD[name]).error != ""
