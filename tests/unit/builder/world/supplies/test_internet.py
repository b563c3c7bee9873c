"""The toy internet: hosts, archives with fixed bytes, and repositories."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.world.supplies.archive import gzip_stored, make_tar, with_directories
from builder.world.supplies.description import Entry, TreeFormatError, read_tree, scaled
from builder.world.supplies.internet import NO_INTERNET, UnreachableError, toy_internet
from builder.world.supplies.packages.repositories import packages

ARCHIVE = "https://nginx.org/download/nginx-1.24.0.tar.gz"


def test_an_archive_has_the_same_bytes_on_every_machine():
    import hashlib

    body = toy_internet().fetch(ARCHIVE).body
    told = toy_internet().fetch(f"{ARCHIVE}.sha256").body.decode()

    assert told == f"{hashlib.sha256(body).hexdigest()}  nginx-1.24.0.tar.gz\n"
    assert body[4:8] == bytes(4)


def test_scripts_are_executable_and_all_else_is_not():
    with tarfile.open(fileobj=io.BytesIO(toy_internet().fetch(ARCHIVE).body)) as archive:
        modes = {member.name: member.mode for member in archive if member.isfile()}

    assert modes["nginx-1.24.0/configure"] == 0o755
    assert modes["nginx-1.24.0/conf/nginx.conf"] == 0o644


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/", 200),
        ("example.com", 200),
        ("https://example.com/none", 404),
        ("https://example.com/../nginx.org/download", 404),
        ("https://nginx.org/download/nginx-1.24.0.tar.gz/nginx-1.24.0/README", 404),
        ("https://dl-cdn.alpinelinux.example/alpine/v3.19/main/x86_64/make-4.4.1-r2.apk", 200),
        ("https://dl-cdn.alpinelinux.example/alpine/v3.19/main/x86_64/make-9.apk", 404),
    ],
)
def test_urls(url, status):
    assert toy_internet().fetch(url).status == status


def test_an_unknown_host_is_an_error_that_lists_hosts():
    with pytest.raises(UnreachableError) as caught:
        toy_internet().fetch("https://nginx.com/")

    assert "nginx.org" in caught.value.hosts
    assert toy_internet().nearest("nginx.com") == "nginx.org"
    with pytest.raises(UnreachableError):
        NO_INTERNET.fetch("https://example.com/")


@given(st.binary(max_size=200_000))
def test_stored_gzip_is_gzip(content):
    assert gzip.decompress(gzip_stored(content)) == content


@given(
    st.dictionaries(
        st.text("ab/", min_size=1, max_size=160).filter(lambda path: path.strip("/")), st.binary()
    )
)
def test_tars_are_read_by_tarfile(files):
    paths = {
        "/".join(part for part in path.split("/") if part)[:150]: content for path, content in files.items()
    }
    directories = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "/"}
    entries = [
        Entry(path, "file", 0o644, content=body) for path, body in paths.items() if path not in directories
    ]

    with tarfile.open(fileobj=io.BytesIO(make_tar(with_directories(entries)))) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}

    assert found == {entry.path: entry.content for entry in entries}


@pytest.mark.parametrize("repository", ["alpine", "debian"])
def test_every_need_of_a_package_is_a_package(repository):
    known = packages(repository)

    assert [(one.name, need) for one in known.values() for need in one.needs if need not in known] == []


@pytest.mark.parametrize(
    "index", ["alpine/v3.19/main/x86_64/APKINDEX", "debian/dists/x/main/binary-amd64/Packages"]
)
def test_an_index_is_one_package_a_line(index):
    lines = toy_internet().fetch(f"https://packages.example.org/{index}").body.splitlines()

    assert {"name", "version", "size", "needs"} <= json.loads(lines[0]).keys()


def test_a_tree_is_read_as_described():
    entries = read_tree(
        "dir /tmp 1777\ntext /etc/x 0600 1:2\n| a\n|\n| b\nlinks /bin busybox ls cat\nprogram /b sh 1M\n"
    )

    assert entries[0] == Entry("/tmp", "dir", 0o1777)
    assert entries[1] == Entry("/etc/x", "file", 0o600, 1, 2, b"a\n\nb\n")
    assert [entry.path for entry in entries[2:4]] == ["/bin/ls", "/bin/cat"]
    assert len(entries[4].content) == scaled("1M")


@pytest.mark.parametrize("text", ["what /x", "dir", "padding /x big", "dir /x 99x", "link /x"])
def test_a_wrong_description_names_its_line(text):
    with pytest.raises(TreeFormatError, match="line 1"):
        read_tree(text)
