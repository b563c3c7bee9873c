"""What an error advises is done as it says, and helps: each row fails, and succeeds with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Layerlab = Callable[..., Any]


@dataclass(frozen=True)
class Row:
    """A Dockerfile that fails, the advice in its error, and the Dockerfile and options that follow it."""

    dockerfile: str
    advice: str
    mended: str = ""
    options: Sequence[str] = ()


ROWS = {
    "several files and no slash": Row(
        "FROM scratch\nCOPY a b /x\n", "write the destination as /x/", "FROM scratch\nCOPY a b /x/\n"
    ),
    "a user whom nobody knows": Row(
        "FROM alpine:3.19\nUSER app\nRUN true\n",
        "make it first (RUN adduser …)",
        "FROM alpine:3.19\nRUN adduser -D app\nUSER app\nRUN true\n",
    ),
    "a secret that was not given": Row(
        "FROM alpine:3.19\nRUN --mount=type=secret,id=key,required test -s /run/secrets/key\n",
        "add --secret id=key,src=FILE to the command line",
        options=("--secret", "id=key,src=a"),
    ),
    "more memory than allowed": Row(
        "FROM alpine:3.19\nRUN head -c 300000000 /dev/zero | sort >/dev/null\n",
        "--limit memory=SIZE",
        options=("--limit", "memory=800m"),
    ),
    "a stage whose name is misspelt": Row(
        "FROM alpine:3.19 AS build\nFROM scratch\nCOPY --from=bulid /etc/motd /etc/hostname /\n",
        "did you mean 'build'?",
        "FROM alpine:3.19 AS build\nFROM scratch\nCOPY --from=build /etc/hostname /\n",
    ),
    "a command that is spelt almost right": Row(
        "FROM alpine:3.19\nRUN toch /f\n", "did you mean touch?", "FROM alpine:3.19\nRUN touch /f\n"
    ),
    "a command that a package brings": Row(
        "FROM alpine:3.19\nRUN curl -s https://example.com/\n",
        "apk add --no-cache curl brings it",
        "FROM alpine:3.19\nRUN apk add --no-cache curl && curl -s https://example.com/\n",
    ),
    "no list of packages": Row(
        "FROM debian:12-slim\nRUN apt-get install -y curl\n",
        "apt-get update fetches them",
        "FROM debian:12-slim\nRUN apt-get update && apt-get install -y curl\n",
    ),
    "an error that the check directive asks for": Row(
        "# check=error=true\nFROM scratch as a\nCOPY a /\n",
        "leave error=true out of the line # check=",
        "FROM scratch as a\nCOPY a /\n",
    ),
    "an image without a shell": Row(
        "FROM scratch\nCOPY a /a\nRUN /a\n",
        "an image that has one",
        "FROM busybox:1.36\nCOPY a /a\nRUN test -f /a\n",
    ),
    "a server in a RUN": Row(
        "FROM nginx:1.24\nRUN nginx -g 'daemon off;'\n",
        "put what serves into CMD or ENTRYPOINT",
        "FROM nginx:1.24\nCMD nginx -g 'daemon off;'\n",
    ),
    "a host network": Row(
        "FROM alpine:3.19\nRUN --network=host true\n",
        "leave the flag out, or use --network=none",
        "FROM alpine:3.19\nRUN --network=none true\n",
    ),
    "a tag that --strict refuses": Row(
        "FROM alpine:3.17\n", "alpine:3.19", "FROM alpine:3.19\n", ("--strict",)
    ),
}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    place = tmp_path / "context"
    place.mkdir()
    for name in "ab":
        (place / name).write_text(f"{name}\n")
    return place


@pytest.mark.parametrize("name", ROWS)
def test_the_advice_of_a_failed_build_helps(
    layerlab: Layerlab, context: Path, name: str, monkeypatch: Any
) -> None:
    row = ROWS[name]
    monkeypatch.chdir(context)
    (context / "Dockerfile").write_text(row.dockerfile)
    before = layerlab("build", *(row.options if row.mended else ()), context)
    (context / "Dockerfile").write_text(row.mended or row.dockerfile)

    after = layerlab("build", *row.options, context)

    assert before.status == 1
    assert row.advice in before.err
    assert after.status == 0, after.err


def test_the_embedded_image_comes_back_as_the_error_says(layerlab: Layerlab, context: Path) -> None:
    (context / "sh").write_bytes(b"\x7fELF\0real")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY --chmod=755 sh /bin/sh\n")
    layerlab("build", "-t", "busybox", context)
    (context / "Dockerfile").write_text("FROM busybox\nRUN true\n")

    before = layerlab("build", context)
    layerlab("rmi", "busybox")
    after = layerlab("build", context)

    assert before.status == 1
    assert "real programs do not run in the simulation: build with --strategy rootless" in before.err
    assert "layerlab rmi NAME gives it back" in before.err
    assert after.status == 0, after.err


def test_a_damaged_layer_is_mended_as_the_error_says(
    layerlab: Layerlab, context: Path, tmp_path: Path
) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    layerlab("build", "-t", "web", context)
    for blob in (tmp_path / "state/blobs/sha256").iterdir():
        if b"a\n" in blob.read_bytes()[512:1024]:
            blob.write_bytes(blob.read_bytes().replace(b"a\n", b"b\n"))

    before = layerlab("save", "-o", tmp_path / "x.tar", "web")
    layerlab("image", "check", "--repair")
    layerlab("build", "-t", "web", context)
    after = layerlab("save", "-o", tmp_path / "x.tar", "web")

    assert before.status == 1
    assert "layerlab image check --repair" in before.err
    assert after.status == 0, after.err


@pytest.mark.parametrize("output", ["{}/taken", "type=oci,dest={}/taken/a"])
def test_an_output_goes_elsewhere_as_the_error_says(
    layerlab: Layerlab, context: Path, tmp_path: Path, output: str
) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    (tmp_path / "taken").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "taken/a").write_text("mine")

    before = layerlab("build", "-o", output.format(tmp_path), context)
    after = layerlab("build", "-o", output.format(tmp_path).replace("taken", "other"), context)

    assert before.status == 1
    assert "remove it, or choose another name" in before.err
    assert (tmp_path / "taken/a").read_text() == "mine"
    assert after.status == 0, after.err
