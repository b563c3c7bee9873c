"""The example that the course is about: nginx compiled in one stage and shipped in another, in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from course.cli import run

DOCKERFILE = (Path(__file__).parent / "nginx" / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    return tmp_path


def answer(capfdbinary, *words: str) -> tuple[int, bytes]:
    capfdbinary.readouterr()
    try:
        status = run(list(words))
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capfdbinary.readouterr().out


def test_the_example_builds_unchanged_and_serves_its_page(home: Path, capfdbinary) -> None:
    status, summary = answer(capfdbinary, "build", "--json", "-t", "alpine:nginx", str(home / "site"))
    assert status == 0
    _, inspected = answer(capfdbinary, "inspect", "alpine:nginx")
    (image,) = json.loads(inspected)
    assert image["Config"]["Cmd"] == ["./sbin/nginx", "-g", "daemon off;"]
    assert image["Config"]["WorkingDir"] == "/app/nginx"
    assert image["Config"]["ExposedPorts"] == {"80/tcp": {}}

    assert answer(capfdbinary, "build", "-o", str(home / "tree"), str(home / "site"))[0] == 0
    for path in ("sbin/nginx", "conf/nginx.conf", "html/index.html"):
        assert (home / "tree/app/nginx" / path).is_file()
    assert not list((home / "tree").rglob("gcc"))
    assert not list((home / "tree").rglob("cc1"))

    build_stage, shipped = json.loads(summary)["stages"]
    assert build_stage["size"] > 5 * shipped["size"]

    status, page = answer(capfdbinary, "run", "--get", "/", "alpine:nginx")
    assert (status, b"<h1>Welcome to nginx!</h1>" in page) == (0, True)


def test_a_second_build_is_cached_and_a_rebuild_gives_the_same_bytes(home: Path, capfdbinary) -> None:
    first = answer(capfdbinary, "build", "-q", str(home / "site"))

    assert answer(capfdbinary, "build", "-q", str(home / "site")) == first
    assert answer(capfdbinary, "build", "-q", "--no-cache", str(home / "site")) == first


@pytest.mark.parametrize(
    ("line", "status", "page"),
    [
        ("RUN echo changed > html/index.html", 0, b"changed\n"),
        (
            "RUN mkdir /www && echo moved > /www/index.html && "
            "sed -i 's#root  *html#root /www#' conf/nginx.conf",
            0,
            b"moved\n",
        ),
        ("RUN rm html/index.html", 1, None),
    ],
)
def test_a_later_layer_changes_the_answer(
    home: Path, capfdbinary, line: str, status: int, page: bytes | None
) -> None:
    (home / "site" / "Dockerfile").write_text(f"{DOCKERFILE}{line}\n", encoding="utf-8")
    assert answer(capfdbinary, "build", "-q", "-t", "changed", str(home / "site"))[0] == 0

    found = answer(capfdbinary, "run", "--get", "/", "changed")

    assert found[0] == status
    assert page is None or found[1] == page


def test_a_broken_configuration_ends_the_server_with_status_1(home: Path, capfdbinary) -> None:
    line = "RUN echo 'nonsense here' >> conf/nginx.conf"
    (home / "site" / "Dockerfile").write_text(f"{DOCKERFILE}{line}\n", encoding="utf-8")
    assert answer(capfdbinary, "build", "-q", "-t", "broken", str(home / "site"))[0] == 0

    assert answer(capfdbinary, "run", "broken")[0] == 1
