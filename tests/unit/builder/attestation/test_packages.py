"""What is installed is read from the databases of the package managers, whatever is wrong in them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from builder.attestation.packages import Package, packages
from builder.attestation.spdx import sbom
from unionfs_sim import File, Layer, Symlink, layer

APK = "C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n\nP:zlib\nV:1.3-r2\nA:x86_64\n"
CLICK = "Name: click\nVersion: 8.1\n\nName: no\n"
DPKG = (
    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n"
    "Description: C\n more\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
)


def rpm_header(**tags: str) -> bytes:
    numbers = {"name": 1000, "version": 1001, "release": 1002, "arch": 1022}
    index, data = b"", b""
    for name, value in tags.items():
        index += struct.pack(">IIII", numbers[name], 6, len(data), 1)
        data += value.encode() + b"\0"
    return struct.pack(">II", len(tags), len(data)) + index + data


def rpm_database(path: Path, *headers: bytes) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
    connection.commit()
    connection.close()
    return path.read_bytes()


def purls(tree: Layer) -> list[str]:
    return [package.purl for package in packages(tree)]


def test_every_kind_of_database_is_read(tmp_path: Path) -> None:
    rpms = rpm_database(
        tmp_path / "db",
        rpm_header(name="bash", version="5.2", release="1.fc39", arch="x86_64"),
        rpm_header(name="gpg-pubkey", version="1", release="2"),
    )
    tree = layer(
        {
            "/etc/os-release": 'NAME="A B"\nID="alpine"\nID_LIKE=x\n',
            "/lib/apk/db/installed": APK,
            "/var/lib/dpkg/status": DPKG,
            "/var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a\n",
            "/var/lib/rpm/rpmdb.sqlite": File(rpms),
            "/usr/lib/python3/site-packages/click-8.1.dist-info/METADATA": CLICK,
            "/app/node_modules/left-pad/package.json": '{"name": "left-pad", "version": "1.3.0"}',
            "/app/node_modules/@types/node/package.json": '{"name": "@types/node", "version": "20.1.0"}',
            "/app/package.json": '{"name": "the-app-itself", "version": "1.0.0"}',
        }
    )

    assert purls(tree) == [
        "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64",
        "pkg:apk/alpine/zlib@1.3-r2?arch=x86_64",
        "pkg:deb/alpine/libc6@2.36-9?arch=amd64",
        "pkg:deb/alpine/tzdata@2024a",
        "pkg:npm/%40types/node@20.1.0",
        "pkg:npm/left-pad@1.3.0",
        "pkg:pypi/click@8.1",
        "pkg:rpm/alpine/bash@5.2-1.fc39?arch=x86_64",
    ]


def test_an_image_without_packages_has_none() -> None:
    assert packages(layer({"/etc/motd": "hello", "/lib/apk/db/installed": Symlink("/etc/motd")})) == []


@given(st.binary(max_size=400))
def test_no_database_is_too_broken_to_be_passed_over(content: bytes) -> None:
    tree = layer(
        {
            path: File(content)
            for path in (
                "/lib/apk/db/installed",
                "/var/lib/dpkg/status",
                "/var/lib/rpm/rpmdb.sqlite",
                "/p/x.dist-info/METADATA",
                "/p/node_modules/x/package.json",
            )
        }
    )

    for package in packages(tree):
        assert package.name and package.version


@given(st.binary(max_size=200))
def test_no_rpm_header_is_too_broken_to_be_passed_over(content: bytes) -> None:
    from builder.attestation.packages import _rpm_tags

    assert isinstance(_rpm_tags(content), dict)


def test_the_document_is_valid_by_the_spdx_tools(tmp_path: Path) -> None:
    tool = shutil.which("pyspdxtools", path=str(Path(sys.executable).parent))
    assert tool is not None, "spdx-tools is a development dependency"
    installed = [
        Package("npm", "@types/node", "1.0", "", "/a b"),
        Package("deb", "libstdc++6", "12.2.0-14", "amd64", "/var/lib/dpkg/status"),
        Package("apk", "ünï", "1:2~3+4", "", "/lib"),
    ]
    said = sbom("web:1", None, installed, created="2024-03-09T16:00:00Z", version="0.1.0")
    (tmp_path / "sbom.spdx.json").write_text(json.dumps(said.content))

    done = subprocess.run(
        [tool, "-i", str(tmp_path / "sbom.spdx.json")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_equal_images_have_equal_documents_and_others_have_other_names() -> None:
    one = [Package("apk", "musl", "1")]

    first, again, other = (
        sbom("web", None, installed, created="x", version="1").content
        for installed in (one, one, [*one, *one])
    )

    assert first == again
    assert first["documentNamespace"] != other["documentNamespace"]
