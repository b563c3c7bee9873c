"""``layerlab open``: which image is meant, what the page is called, and when CI is to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from builder.cli.session import Session
from course.cli import cli, run
from course.laboratory import Laboratory


def layerlab(state: Path, *words: str) -> int:
    return run(["--state", str(state), *words])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the image ``web``, in which a later layer deletes five bytes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "a").write_text("12345")
    (tmp_path / "context" / "Dockerfile").write_text("FROM alpine\nCOPY a /a\nRUN rm /a\n")
    assert layerlab(tmp_path / "state", "build", "-q", "-t", "web", "context") == 0
    return tmp_path / "state"


def test_a_name_an_archive_and_a_layout_give_the_same_page(state: Path) -> None:
    pages = []
    layerlab(state, "save", "-o", "web.tar", "web")
    for number, image in enumerate(["web", "./web.tar", str(state)]):
        assert layerlab(state, "open", image, "-o", f"{number}.html") == 0
        pages.append(Path(f"{number}.html").read_text())

    assert [page.count("rm /a") for page in pages] == [pages[0].count("rm /a")] * 3


def test_a_name_in_the_store_goes_before_a_file_that_is_called_alike(state: Path) -> None:
    Path("web").mkdir()

    assert layerlab(state, "open", "web") == 0
    assert Path("web.html").exists()


def test_ci_fails_above_the_bytes_that_may_be_wasted(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layerlab(state, "open", "web", "--max-wasted", "5") == 0
    assert layerlab(state, "open", "web", "--max-wasted", "4") == 1
    assert "5 bytes are in no view; --max-wasted allows 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("nobody", "no such image"),
        ("./absent.tar", "no such file or directory"),
        ("./text", "no tar archive"),
        ("./empty", "neither an OCI layout"),
        ("./void", ""),
    ],
)
def test_what_is_no_image_is_one_clear_message(
    state: Path, capsys: pytest.CaptureFixture[str], image: str, message: str
) -> None:
    Path("text").write_text("not a tar at all" * 100)
    Path("empty").mkdir()
    Path("void").touch()

    assert layerlab(state, "open", image) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error and len(error.splitlines()) <= 2
    assert not [name for name in os.listdir() if name.endswith(".html")]


def test_a_folder_that_is_not_there_is_one_clear_message(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert layerlab(state, "open", "web", "-o", "absent/page.html") == 1
    assert "absent/page.html: cannot write here" in capsys.readouterr().err


def test_a_build_writes_its_page(state: Path) -> None:
    assert layerlab(state, "build", "-q", "--report", "built.html", "context") == 0

    assert '"cached":true' in Path("built.html").read_text()


def test_a_hundred_layers_are_a_page_and_a_picture() -> None:
    dockerfile = "FROM scratch\n" + "".join(f"COPY a /f{number % 7}/\n" for number in range(100))
    built = Laboratory().build(dockerfile, {"a": "1"})

    assert len(built.layers) == 100
    assert built.explorer().text.count("COPY a") >= 100
    assert built.overlay_stack().draw().texts


def test_without_a_reporter_a_report_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    session = Session(state_dir=tmp_path / "state")

    done = CliRunner().invoke(
        cli.get_command(None, "build"), [str(tmp_path), "--report", "x.html"], obj=session
    )  # type: ignore[arg-type]

    assert "nobody here can draw a report" in str(done.exception)


def test_the_page_is_shown_only_at_a_terminal_or_when_asked(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(shown.append(address)))

    assert layerlab(state, "open", "web") == 0
    assert layerlab(state, "open", "web", "--no-browser") == 0
    assert shown == []
    address = (Path.cwd() / "web.html").as_uri()
    assert address in capsys.readouterr().out

    assert layerlab(state, "open", "web", "--browser") == 0
    assert shown == [address]
    assert "no browser can be started here" in capsys.readouterr().err
