"""Who we are to a registry: the file, the helpers, and what must never be shown."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from builder.errors import RegistryError
from builder.transport.registry.credentials import Credentials, Keyring, config_directory, run_helper

ALICE = Credentials("alice", "s3cret:with colon")


def keyring(tmp_path: Path, **document: object) -> Keyring:
    (tmp_path / "config.json").write_text(json.dumps(document))
    return Keyring(str(tmp_path))


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_without_a_file_nobody_is_known(tmp_path: Path) -> None:
    assert Keyring(str(tmp_path / "no")).find("localhost:5000") is None


@pytest.mark.parametrize(
    "written", ["r.example", "https://r.example", "https://r.example/v1/", "http://r.example"]
)
def test_an_entry_is_found_however_its_host_is_written(tmp_path: Path, written: str) -> None:
    assert keyring(tmp_path, auths={written: auth("a", "b")}).find("r.example") == Credentials("a", "b")


def test_docker_io_is_found_under_its_old_name(tmp_path: Path) -> None:
    known = keyring(tmp_path, auths={"https://index.docker.io/v1/": auth("a", "b")})

    assert known.find("docker.io") == Credentials("a", "b")


@pytest.mark.parametrize("other", ["r.example.evil", "xr.example", "r.example:5000", "r"])
def test_an_entry_for_a_similar_host_is_not_taken(tmp_path: Path, other: str) -> None:
    assert keyring(tmp_path, auths={other: auth("a", "b")}).find("r.example") is None


def test_a_password_may_hold_colons(tmp_path: Path) -> None:
    assert keyring(tmp_path, auths={"r": auth("a", "b:c")}).find("r") == Credentials("a", "b:c")


def test_an_identity_token_is_one(tmp_path: Path) -> None:
    found = keyring(tmp_path, auths={"r": {"identitytoken": "t"}}).find("r")

    assert found is not None and found.is_identity_token and found.secret == "t"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"auths": [1]}',
        '{"auths": {"r": {"auth": "***"}}}',
        '{"auths": {"r": {"auth": "YQ=="}}}',
    ],
)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)

    with pytest.raises(RegistryError, match=r"config\.json"):
        Keyring(str(tmp_path)).find("r")


def test_what_is_stored_is_found_only_its_user_may_read_it_and_the_rest_stays(tmp_path: Path) -> None:
    known = keyring(tmp_path, HttpHeaders={"X": "y"}, auths={"other": auth("o", "p")})

    known.store("localhost:5000", ALICE)

    assert known.find("localhost:5000") == ALICE
    assert known.find("other") == Credentials("o", "p")
    assert json.loads(Path(known.path).read_text())["HttpHeaders"] == {"X": "y"}
    assert stat.S_IMODE(os.stat(known.path).st_mode) == 0o600
    assert os.listdir(tmp_path) == ["config.json"]


def test_logging_in_again_replaces_an_entry_under_another_spelling(tmp_path: Path) -> None:
    known = keyring(tmp_path, auths={"https://r.example/v1/": auth("old", "old")})

    known.store("r.example", ALICE)

    assert list(json.loads(Path(known.path).read_text())["auths"]) == ["r.example"]


def test_what_is_erased_is_gone_and_erasing_twice_is_no_error(tmp_path: Path) -> None:
    known = keyring(tmp_path, auths={"r": auth("a", "b"), "s": auth("c", "d")})

    assert (known.erase("r"), known.erase("r")) == (True, False)
    assert known.find("r") is None and known.find("s") is not None


def test_a_config_that_is_a_symlink_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles/config.json").write_text("{}")
    (tmp_path / "config.json").symlink_to("dotfiles/config.json")

    Keyring(str(tmp_path)).store("r", ALICE)

    assert (tmp_path / "config.json").is_symlink()
    assert "auths" in json.loads((tmp_path / "dotfiles/config.json").read_text())


def test_a_secret_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(ALICE)


def test_docker_config_is_where_the_environment_says() -> None:
    assert config_directory({"DOCKER_CONFIG": "/c", "HOME": "/h"}) == "/c"
    assert config_directory({"HOME": "/h"}) == "/h/.docker"


# ---- helpers ----


class FakeHelper:
    """Keeps credentials in a dictionary, and speaks as docker-credential-* do."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, str]] = {}
        self.called: list[tuple[str, str]] = []

    def __call__(self, name: str, verb: str, said: bytes) -> tuple[int, bytes]:
        self.called.append((name, verb))
        match verb:
            case "store":
                document = json.loads(said)
                self.known[document["ServerURL"]] = document
                return 0, b""
            case "get" if said.decode() in self.known:
                return 0, json.dumps(self.known[said.decode()]).encode()
            case "erase":
                del self.known[said.decode()]
                return 0, b""
        return 1, b"credentials not found in native keychain\n"


def with_helper(tmp_path: Path, helper: FakeHelper, **document: object) -> Keyring:
    (tmp_path / "config.json").write_text(json.dumps(document))
    return Keyring(str(tmp_path), helper=helper)


def test_a_helper_keeps_finds_and_forgets_and_the_file_holds_no_secret(tmp_path: Path) -> None:
    helper = FakeHelper()
    known = with_helper(tmp_path, helper, credsStore="pass")

    assert known.find("r") is None
    assert known.store("r", ALICE) == "docker-credential-pass"
    assert known.find("r") == ALICE
    assert "s3cret" not in Path(known.path).read_text()
    assert (known.erase("r"), known.erase("r")) == (True, False)


def test_the_helper_of_one_registry_is_asked_before_the_one_of_all(tmp_path: Path) -> None:
    helper = FakeHelper()

    with_helper(tmp_path, helper, credsStore="all", credHelpers={"r": "one"}).find("r")

    assert helper.called == [("one", "get")]


def test_a_helper_that_gives_a_token_says_so(tmp_path: Path) -> None:
    helper = FakeHelper()
    helper.known["r"] = {"Username": "<token>", "Secret": "t"}

    found = with_helper(tmp_path, helper, credsStore="x").find("r")

    assert found is not None and found.is_identity_token


@pytest.mark.parametrize("name", ["../evil", "a/b", "", " x", "-rf", 7, ["x"]])
def test_a_helper_with_a_name_that_is_no_name_is_not_run(tmp_path: Path, name: object) -> None:
    helper = FakeHelper()
    known = with_helper(tmp_path, helper, credsStore=name, credHelpers={"r": name})

    if name:
        with pytest.raises(RegistryError, match="not the name"):
            known.find("r")
    assert helper.called == []


@pytest.mark.parametrize("said", [b"", b"{}", b"[1]", b'{"Username": 1, "Secret": 2}'])
def test_a_helper_that_talks_nonsense_is_an_error(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "x"}')

    with pytest.raises(RegistryError, match="no user and secret"):
        Keyring(str(tmp_path), helper=lambda *_: (0, said)).find("r")


def test_a_helper_that_is_not_installed_is_said_to_be_missing() -> None:
    with pytest.raises(RegistryError, match="docker-credential-nosuch is not installed"):
        run_helper("nosuch", "get", b"r")
