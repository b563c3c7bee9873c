"""A certificate that nobody vouches for is refused, unless its registry was named insecure."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from builder.transport.registry.server import RegistryServer
from builder.transport.registry.shelf import Shelf
from unionfs_sim import layer
from unionfs_sim.tar.pack import pack

pytestmark = pytest.mark.tools("openssl")


def openssl(place: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """``ca.pem``, and ``cert.pem`` with ``key.pem`` for localhost, signed by it."""
    place = tmp_path / "tls"
    place.mkdir()
    new = ("req", "-newkey", "rsa:2048", "-nodes", "-subj")
    openssl(place, *new, "/CN=test authority", "-x509", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
    openssl(place, *new, "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem")
    (place / "names").write_text("subjectAltName=DNS:localhost\n")
    sign = ("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    openssl(place, *sign, "-days", "2", "-extfile", "names", "-out", "cert.pem")
    return place


@pytest.fixture
def port(tmp_path: Path, certificates: Path) -> Iterator[int]:
    """Where our registry speaks TLS."""
    with LayoutStore(str(tmp_path / "registry")) as store:
        server = RegistryServer(Shelf(store), scratch=str(tmp_path / "registry"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with LayoutStore(str(tmp_path / "state")) as store:
        stored = store.put(pack(layer({"/etc/motd": "hello"})))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = Image(ImageConfig()).append(blob, History())
        store.put([image.config_bytes()])
        written = store.put([image.manifest().to_bytes()])
        manifest = Descriptor(image.manifest().media_type, written.digest, written.size)
        store.tag(Reference.parse("web:1"), manifest)
    return tmp_path / "state"


def push(
    state: Path, target: str, *options: str, authority: Path | None = None
) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "course", "--state", str(state), "push", "web:1", target, *options]
    named = {} if authority is None else {"SSL_CERT_FILE": str(authority)}
    environment = {**os.environ, **named, "DOCKER_CONFIG": str(state / "no")}
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)


def test_an_authority_that_is_named_is_enough(state: Path, port: int, certificates: Path) -> None:
    done = push(state, f"localhost:{port}/web:1", authority=certificates / "ca.pem")

    assert done.returncode == 0, done.stderr


def test_a_certificate_that_nobody_vouches_for_is_refused_even_here(state: Path, port: int) -> None:
    done = push(state, f"localhost:{port}/web:1")

    assert done.returncode == 1
    assert "its TLS certificate is not good" in done.stderr and "--insecure-registry" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_certificate_for_another_name_is_refused(state: Path, port: int, certificates: Path) -> None:
    done = push(state, f"127.0.0.1:{port}/web:1", authority=certificates / "ca.pem")

    assert done.returncode == 1
    assert "its TLS certificate is not good" in done.stderr


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_registry_that_is_named_insecure_is_believed(state: Path, port: int, host: str) -> None:
    done = push(state, f"{host}:{port}/web:1", "--insecure-registry", f"{host}:{port}")

    assert done.returncode == 0, done.stderr


def test_naming_one_insecure_says_nothing_of_another(state: Path, port: int) -> None:
    done = push(state, f"localhost:{port}/web:1", "--insecure-registry", f"127.0.0.1:{port}")

    assert done.returncode == 1
