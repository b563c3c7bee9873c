"""WWW-Authenticate is read as the RFC has it, and a password goes to nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import RegistryError
from builder.transport.registry.challenge import may_receive_password, parse_challenges
from builder.transport.registry.endpoint import Origin, Routes, host_of


def test_all_challenges_of_a_header_are_found() -> None:
    found = parse_challenges(
        'Basic realm="a, b", Bearer realm="https://t/x", scope="a:b:pull,push" ,Negotiate'
    )

    assert [(each.scheme, dict(each.parameters)) for each in found] == [
        ("basic", {"realm": "a, b"}),
        ("bearer", {"realm": "https://t/x", "scope": "a:b:pull,push"}),
        ("negotiate", {}),
    ]


def test_escapes_in_quoted_words_are_taken_away() -> None:
    (found,) = parse_challenges(r'Basic realm="say \"hi\" \\ there"')

    assert found.parameters["realm"] == 'say "hi" \\ there'


@given(st.text(max_size=300))
def test_no_header_is_too_odd_to_be_read(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme == challenge.scheme.lower() != ""


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=20), max_size=4))
def test_what_is_written_by_the_rules_comes_back(parameters: dict[str, str]) -> None:
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
    header = "Bearer " + ",".join(f'{name}="{value}"' for name, value in quoted.items())
    if any("\n" in value for value in parameters.values()):
        return  # No header holds a line feed.

    (found,) = parse_challenges(header)

    assert dict(found.parameters) == parameters


@pytest.mark.parametrize(
    ("realm", "registry", "may"),
    [
        ("https://r.example/token", "https://r.example", True),
        ("https://r.example:8443/token", "https://r.example", True),
        ("https://auth.docker.io/token", "https://registry-1.docker.io", True),
        ("https://gitlab.com/jwt/auth", "https://registry.gitlab.com", True),
        ("https://evil.example/token", "https://registry.gitlab.com", False),
        ("https://evilgitlab.com/token", "https://registry.gitlab.com", False),
        ("https://b.co.uk/token", "https://a.co.uk", False),
        ("https://b.com/token", "https://a.com", False),
        ("https://b.registry.co.uk/token", "https://a.registry.co.uk", True),
        ("http://r.example/token", "https://r.example", False),
        ("http://r.example/token", "http://r.example", True),
        ("https://10.0.0.2/token", "https://10.0.0.1", False),
        ("https://[::2]/token", "https://[::1]", False),
        ("https://localhost/token", "https://127.0.0.1", False),
    ],
)
def test_a_password_goes_to_the_registry_or_its_own_domain(realm: str, registry: str, may: bool) -> None:
    assert may_receive_password(Origin.of(realm), Origin.of(registry)) is may


# ---- where registries are ----


def test_the_registry_is_asked_after_its_mirrors_and_a_push_knows_no_mirror() -> None:
    routes = Routes.parse(["docker.io=http://127.0.0.1:1", "docker.io=https://m.example/"])

    assert [each.base for each in routes.to_pull("docker.io")] == [
        "http://127.0.0.1:1",
        "https://m.example",
        "https://registry-1.docker.io",
    ]
    assert routes.to_push("docker.io").base == "https://registry-1.docker.io"


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "127.9.9.9:80", "[::1]:5000", "lab.example"])
def test_this_machine_and_what_is_named_insecure_may_speak_without_tls(host: str) -> None:
    assert Routes.parse(insecure=["lab.example"]).to_push(host).plain == f"http://{host}"


@pytest.mark.parametrize(
    "host", ["lab.example:5000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"]
)
def test_everybody_else_needs_tls(host: str) -> None:
    assert Routes.parse(insecure=["lab.example"]).to_push(host).plain is None


@pytest.mark.parametrize(
    "written",
    [
        "docker.io",
        "=http://x",
        "a=ftp://x",
        "a=http://x/path",
        "a=http://u:p@x",
        "a=http://",
        "a=http://[",
        "a",
    ],
)
def test_a_mirror_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(RegistryError):
        Routes.parse([written])


@pytest.mark.parametrize("written", ["", "/", "https://", "a b:c:d"])
def test_a_word_that_is_no_registry_is_refused(written: str) -> None:
    with pytest.raises(RegistryError):
        host_of(written)
