"""Whatever a client sends, it is answered: by a result, or by a sentence about what is wrong with it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from daemon_served import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BINDINGS = st.dictionaries(st.sampled_from(["80/tcp", "80", "x", "99999/tcp"]), VALUES, max_size=2)
IN_HOST = ["PortBindings", "Binds", "NetworkMode", "RestartPolicy", "LogConfig", "SecurityOpt", "Memory"]
HOST = st.fixed_dictionaries(
    {}, optional={name: BINDINGS if name == "PortBindings" else VALUES for name in IN_HOST}
)
IN_BODY = [
    "Cmd",
    "Entrypoint",
    "Env",
    "Labels",
    "User",
    "WorkingDir",
    "Tty",
    "OpenStdin",
    "StopSignal",
    "StopTimeout",
    "ExposedPorts",
    "Healthcheck",
    "Volumes",
    "Hostname",
]
BODIES = st.fixed_dictionaries(
    {"Image": st.just("alpine")},
    optional={"HostConfig": HOST | VALUES, **dict.fromkeys(IN_BODY, VALUES)},
)
WORDS = st.text(max_size=12)
PARAMETERS = [
    "all",
    "limit",
    "filters",
    "t",
    "buildargs",
    "labels",
    "cachefrom",
    "target",
    "dockerfile",
    "platform",
    "since",
    "until",
    "tail",
    "stdout",
    "names",
    "fromImage",
    "repo",
    "tag",
    "force",
    "h",
    "w",
    "signal",
]
QUERIES = st.dictionaries(st.sampled_from(PARAMETERS), WORDS | VALUES.map(json.dumps), max_size=4)
ASKED = st.sampled_from(
    [
        ("GET", "/containers/json"),
        ("GET", "/images/json"),
        ("POST", "/images/alpine/tag"),
        ("GET", "/images/get"),
        ("POST", "/containers/prune"),
        ("GET", "/containers/none/logs"),
        ("POST", "/containers/none/stop"),
        ("DELETE", "/images/none"),
        ("POST", "/build"),
    ]
)
calm = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answered(status: int, body: bytes) -> bool:
    """Whether it is a result, or an error that says something."""
    return status < 400 or (status < 500 and bool(json.loads(body)["message"]))


@calm
@given(body=BODIES)
def test_any_container_that_is_asked_for_is_made_or_refused_in_words(
    daemon: Client, body: dict[str, Any]
) -> None:
    daemon.pulled()

    answer = daemon.ask("POST", "/containers/create", body)

    assert answered(answer.status, answer.body), answer
    if answer.status == 201:
        made = answer.json()["Id"]
        assert daemon.ask("GET", f"/containers/{made}/json").status == 200
        assert daemon.ask("GET", "/containers/json?all=1").status == 200
        assert daemon.ask("DELETE", f"/containers/{made}").status == 204


@calm
@given(asked=ASKED, query=QUERIES)
def test_any_query_is_answered_or_refused_in_words(
    daemon: Client, asked: tuple[str, str], query: dict[str, str]
) -> None:
    method, path = asked
    written = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in query.items())

    answer = daemon.ask(method, f"{path}?{written}")

    assert answered(answer.status, answer.body), answer


@calm
@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD"]))
def test_any_path_is_answered_or_refused(daemon: Client, path: str, method: str) -> None:
    answer = daemon.ask(method, "/" + quote(path, errors="surrogatepass"))

    assert answer.status < 500


@calm
@given(header=st.text(alphabet=st.characters(codec="ascii", exclude_categories=["C"]), max_size=40))
def test_any_credentials_are_understood_or_refused(daemon: Client, header: str) -> None:
    answer = daemon.ask(
        "POST", "/images/create?fromImage=alpine&tag=latest", headers={"X-Registry-Auth": header.strip()}
    )

    assert answered(answer.status, answer.body), answer
