from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.image.reference import Reference, ReferenceFormatError

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("written", "full", "familiar"),
    [
        ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("alpine:3.19", "docker.io/library/alpine:3.19", "alpine:3.19"),
        ("user/app", "docker.io/user/app:latest", "user/app:latest"),
        ("index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1"),
        ("ghcr.io/a/b/c", "ghcr.io/a/b/c:latest", "ghcr.io/a/b/c:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"),
        ("HOST/app", "HOST/app:latest", "HOST/app:latest"),
        (f"alpine@{DIGEST}", f"docker.io/library/alpine@{DIGEST}", f"alpine@{DIGEST}"),
        (f"alpine:3@{DIGEST}", f"docker.io/library/alpine:3@{DIGEST}", f"alpine:3@{DIGEST}"),
        ("a__b/c-d.e", "docker.io/a__b/c-d.e:latest", "a__b/c-d.e:latest"),
        ("library/x/y", "docker.io/library/x/y:latest", "library/x/y:latest"),
    ],
)
def test_names_mean_what_docker_means_by_them(written: str, full: str, familiar: str) -> None:
    reference = Reference.parse(written)

    assert (str(reference), reference.familiar) == (full, familiar)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Alpine",
        "a//b",
        "/a",
        "a/",
        "alpine:",
        "alpine:-x",
        "alpine:" + "t" * 129,
        "alpine@sha256:abc",
        "a b",
        "a\0",
        "a..b",
        "-a",
        "f" * 64,
        "x" * 256,
        "host:port/app",
    ],
)
def test_what_docker_refuses_is_refused(written: str) -> None:
    with pytest.raises(ReferenceFormatError):
        Reference.parse(written)


@given(st.text(max_size=40))
def test_any_text_is_a_reference_that_reads_back_or_a_clear_error(written: str) -> None:
    try:
        reference = Reference.parse(written)
    except ReferenceFormatError as error:
        assert "\n" not in error.what
        return

    assert Reference.parse(str(reference)) == reference == Reference.parse(reference.familiar)
