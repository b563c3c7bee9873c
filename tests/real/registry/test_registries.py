"""Images go from us to others and back, through Debian's registry and through ours."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.attestation.statement import Predicate, attested
from builder.image.compressor import Compression
from builder.image.digest import DiffID, digest_of
from builder.image.image import History, Image, ImageConfig, LayerBlob, rfc3339
from builder.image.oci import MEDIA_INDEX, MEDIA_LAYER, Descriptor, Index, Platform, canonical_json
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.image.validate import validate
from builder.stores.memory import MemoryStore
from builder.transport.registry.pull import Pulled, pull
from builder.transport.registry.push import Pushed, push
from builder.transport.registry.repository import CHUNK_BYTES, Registries
from unionfs_sim import WHITEOUT, Dir, File, Hardlink, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

NOISE = os.urandom(1 << 20) * 1 + os.urandom(CHUNK_BYTES * 2 + 12_345)
LAYERS = (
    layer(
        {
            "/bin/busybox": File("x" * 100_000, mode=0o755),
            "/bin/sh": Hardlink("/bin/busybox"),
            "/etc/motd": "hello",
            "/gone": "x",
            "/lib": Symlink("usr/lib"),
            "/noise": File(NOISE),
            "/d/a": "1",
        }
    ),
    layer(
        {"/etc/motd": File("new", uid=5, mode=0o600), "/gone": WHITEOUT, "/d": Dir(opaque=True), "/d/b": "2"}
    ),
)


def example(store: Any, reference: Reference) -> Image:
    image = Image(ImageConfig(cmd=("sh",), env={"PATH": "/bin"}), created=rfc3339(0))
    for number, each in enumerate(LAYERS):
        stored = store.put(pack(each, latest_ns=0))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = image.append(blob, History(rfc3339(0), f"RUN step {number}"))
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    store.tag(reference, Descriptor(manifest.media_type, stored.digest, stored.size))
    return image


NAME = Reference.parse("demo:1")


class Here:
    """A store with the example in it, and a way to send and fetch."""

    def __init__(self, registries: Registries, host: str, kind: str = "") -> None:
        self.registries = registries
        self.kind = kind
        self.host = host
        self.store = MemoryStore()
        self.image = example(self.store, NAME)

    def named(self, name: str) -> Reference:
        return Reference.parse(f"{self.host}/{name}")

    def push(self, name: str = "demo:1", **options: Any) -> Pushed:
        manifest = self.store.resolve(NAME)
        assert manifest is not None
        return push(self.store, self.registries, manifest, self.named(name), **options)

    def pull(self, name: str = "demo:1", *, store: MemoryStore | None = None) -> tuple[Pulled, MemoryStore]:
        into = store or MemoryStore()
        return pull(into, self.registries, self.named(name), Platform()), into

    def expects(self, pulled: Pulled, store: MemoryStore) -> None:
        """What came is the example: the same config, the same trees, and nothing wrong with it."""
        assert pulled.image.diff_ids == self.image.diff_ids
        assert pulled.image.config == self.image.config
        assert validate(store, pulled.manifest) == []
        assert merged(unpack_stack(store, pulled.image.layers)) == merged(
            unpack_stack(self.store, self.image.layers)
        )


@pytest.fixture(params=["debian", "ours"])
def here(request: pytest.FixtureRequest, registries: Registries) -> Here:
    fixture = {"debian": "debian_registry", "ours": "our_registry"}[request.param]
    return Here(registries, request.getfixturevalue(fixture), request.param)


pytestmark = pytest.mark.tools("docker-registry")


def run(*argv: object, **options: Any) -> str:
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("compression", ["gzip", "zstd", "fast", "uncompressed"])
def test_what_is_pushed_comes_back_the_same(here: Here, compression: str) -> None:
    pushed = here.push(compression=Compression.parse(compression))

    pulled, store = here.pull()

    assert pulled.digest == pushed.digest
    here.expects(pulled, store)


def test_two_machines_push_the_same_digest(here: Here) -> None:
    again = Here(here.registries, here.host)

    assert here.push("one:1").digest == again.push("two:1").digest


def test_a_push_in_another_form_does_not_change_what_is_pushed_by_default(here: Here) -> None:
    expected = here.push("one:1").digest

    here.push("two:1", compression=Compression.parse("zstd"))

    assert here.push("two:2").digest == expected


def test_a_pulled_image_is_pushed_elsewhere_with_its_digest(here: Here) -> None:
    pushed = here.push(compression=Compression.parse("gzip", 1))
    pulled, store = here.pull()

    again = push(store, here.registries, pulled.manifest, here.named("copy/of/demo:2"))

    assert again.digest == pushed.digest
    here.expects(*here.pull("copy/of/demo:2"))


def test_what_is_there_is_not_sent_again(here: Here) -> None:
    here.push()
    events: list[Any] = []

    here.push("demo:2", listener=events.append)

    assert {event.how for event in events if hasattr(event, "how")} == {"there"}


@pytest.mark.parametrize("here", ["debian"], indirect=True)
def test_a_blob_of_another_repository_is_mounted(here: Here) -> None:
    here.push()
    events: list[Any] = []

    here.push("else/where:1", listener=events.append)

    assert {event.how for event in events if hasattr(event, "how")} == {"mounted"}
    here.expects(*here.pull("else/where:1"))


def test_mounting_a_blob_that_is_not_there_is_answered_no(here: Here) -> None:
    here.push()

    assert here.registries.to_push(here.host, "else").mount(digest_of(b"nothing"), "demo") is False


def test_a_layer_that_is_here_is_not_fetched_again(here: Here) -> None:
    here.push()
    _, store = here.pull()
    events: list[Any] = []

    pull(store, here.registries, here.named("demo:1"), Platform(), listener=events.append)

    assert {event.how for event in events if hasattr(event, "how")} == {"there"}


def test_an_image_is_pulled_by_its_digest(here: Here) -> None:
    digest = here.push().digest

    pulled, store = here.pull(f"demo@{digest}")

    here.expects(pulled, store)
    assert store.resolve(here.named(f"demo@{digest}")) == pulled.manifest


def test_the_image_for_the_platform_is_chosen_of_an_index(here: Here) -> None:
    here.push()
    repository = here.registries.to_push(here.host, "demo")
    document = repository.manifest("1")
    assert document is not None
    entries = [
        {**document.descriptor.document(), "platform": {"os": "linux", "architecture": architecture}}
        for architecture in ("arm64", "amd64")
    ]
    raw = canonical_json({"schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": entries})
    repository.put_manifest("many", MEDIA_INDEX, raw)

    pulled, store = here.pull("demo:many")

    assert pulled.digest == digest_of(raw)
    here.expects(pulled, store)


def test_tags_are_listed(here: Here) -> None:
    for tag in ("1", "2", "latest"):
        here.push(f"demo:{tag}")

    assert sorted(here.registries.to_push(here.host, "demo").tags()) == ["1", "2", "latest"]


def test_an_upload_that_breaks_is_resumed(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.transport.registry.http import Http, Interrupted

    sent = 0
    real = Http._once

    def breaking(self: Http, method: str, *rest: Any) -> Any:
        nonlocal sent
        answer = real(self, method, *rest)
        if method == "PATCH":
            sent += 1
            if sent == 2:
                answer.close()
                raise Interrupted("the answer was lost")
        return answer

    monkeypatch.setattr(Http, "_once", breaking)

    here.push()

    # The chunk whose answer was lost had arrived. Ours says so; Debian's says that all is lost.
    assert sent == {"ours": 3, "debian": 5}[here.kind]
    here.expects(*here.pull())


# ---- others' tools ----

SKOPEO = ("skopeo", "--insecure-policy")


@pytest.mark.tools("skopeo")
def test_skopeo_sees_what_we_pushed(here: Here) -> None:
    pushed = here.push()

    described = json.loads(run(*SKOPEO, "inspect", "--tls-verify=false", f"docker://{here.host}/demo:1"))
    config = json.loads(
        run(*SKOPEO, "inspect", "--config", "--tls-verify=false", f"docker://{here.host}/demo:1")
    )

    assert described["Digest"] == pushed.digest
    assert config["rootfs"]["diff_ids"] == list(here.image.diff_ids)


@pytest.mark.tools("skopeo")
@pytest.mark.parametrize("kind", ["oci", "v2s2"])
def test_what_skopeo_copies_from_registry_to_registry_comes_back(here: Here, kind: str) -> None:
    here.push()
    copied = f"docker://{here.host}/copied:1"
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false", "--format", kind)

    run(*SKOPEO, "copy", *plain, f"docker://{here.host}/demo:1", copied)

    here.expects(*here.pull("copied:1"))


@pytest.mark.tools("skopeo")
@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_what_skopeo_pushes_from_a_layout_comes_here(here: Here, tmp_path: Path, method: str) -> None:
    here.push()
    source, layout = f"docker://{here.host}/demo:1", f"oci:{tmp_path}/layout:1"
    run(*SKOPEO, "copy", "--src-tls-verify=false", source, layout)

    compress = ("--dest-compress-format", method, "--dest-compress")
    run(*SKOPEO, "copy", "--dest-tls-verify=false", *compress, layout, f"docker://{here.host}/back:1")

    here.expects(*here.pull("back:1"))


@pytest.mark.tools("skopeo")
def test_skopeo_deletes_and_then_it_is_gone(here: Here) -> None:
    here.push()

    run(*SKOPEO, "delete", "--tls-verify=false", f"docker://{here.host}/demo:1")

    assert here.registries.to_push(here.host, "demo").manifest("1") is None


SAID = (
    Predicate("https://slsa.dev/provenance/v1", {"a": 1}),
    Predicate("https://spdx.dev/Document", {"b": 2}),
)


def attest(here: Here) -> None:
    """Let the name of the example name an index with statements about it."""
    manifest = here.store.resolve(NAME)
    assert manifest is not None
    described = replace(manifest, platform=here.image.platform)
    index = attested(described, SAID, "demo:1", lambda content, _: here.store.put([content]))
    kept = here.store.put([index.to_bytes()])
    here.store.tag(NAME, Descriptor(index.media_type, kept.digest, kept.size))


def test_what_is_said_about_an_image_is_found_as_its_referrer(here: Here) -> None:
    """Debian's registry has no API for it: there a tag stands in."""
    attest(here)

    pushed = here.push()

    repository = here.registries.to_push(here.host, "demo")
    document = repository.manifest("1")
    assert document is not None and document.descriptor.digest == pushed.digest
    image, about = Index.parse(document.raw).manifests
    (referrer,) = repository.referrers(image.digest)
    assert referrer.digest == about.digest
    assert referrer.artifact_type == "application/vnd.docker.attestation.manifest.v1+json"
    here.expects(*here.pull())


def test_pushing_what_is_said_again_lists_it_once(here: Here) -> None:
    attest(here)
    here.push()
    here.push("demo:2")

    repository = here.registries.to_push(here.host, "demo")
    document = repository.manifest("2")
    assert document is not None
    image = Index.parse(document.raw).manifests[0]
    assert len(repository.referrers(image.digest)) == 1


@pytest.mark.tools("skopeo")
def test_skopeo_copies_an_image_with_what_is_said_about_it(here: Here) -> None:
    attest(here)
    pushed = here.push()
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false", "--all")

    run(*SKOPEO, "copy", *plain, f"docker://{here.host}/demo:1", f"docker://{here.host}/copied:1")

    pulled, store = here.pull("copied:1")
    assert pulled.digest == pushed.digest
    here.expects(pulled, store)


@pytest.mark.tools("skopeo")
@pytest.mark.parametrize("here", ["ours"], indirect=True)
def test_what_our_registry_keeps_is_a_layout_that_skopeo_reads(here: Here, tmp_path: Path) -> None:
    here.push()

    layout = f"oci:{tmp_path}/ours:localhost/demo:1"

    config = json.loads(run(*SKOPEO, "inspect", "--config", layout))
    assert config["rootfs"]["diff_ids"] == list(here.image.diff_ids)


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Callable[..., str]]:
    with tempfile.TemporaryDirectory(prefix="p") as short:  # podman refuses a runroot of over 50 characters
        words = ("podman", "--root", tmp_path / "root", "--runroot", short, "--storage-driver", "vfs")
        yield lambda *argv: run(*words, *argv)


@pytest.mark.kernel
@pytest.mark.tools("podman")
def test_podman_pulls_what_we_pushed_and_we_pull_what_it_pushes(
    here: Here, podman: Callable[..., str]
) -> None:
    here.push()

    podman("pull", "--tls-verify=false", f"{here.host}/demo:1")
    podman("tag", f"{here.host}/demo:1", f"{here.host}/podman:1")
    podman("push", "--tls-verify=false", f"{here.host}/podman:1")

    pulled, store = here.pull("podman:1")
    assert pulled.image.diff_ids == here.image.diff_ids
    assert validate(store, pulled.manifest) == []


@pytest.fixture(scope="module")
def docker() -> Iterator[tuple[str, ...]]:
    """The client's first words. The daemon's directory is short: a socket's name has 108 bytes."""
    import time

    with tempfile.TemporaryDirectory(prefix="d", ignore_cleanup_errors=True) as root:
        host = f"unix://{root}/s"
        isolated = ["--bridge=none", "--iptables=false", "--storage-driver=vfs", f"--pidfile={root}/pid"]
        places = [f"--data-root={root}/data", f"--exec-root={root}/exec", "-H", host]
        with open(f"{root}/log", "wb") as log:
            daemon = subprocess.Popen(["dockerd", *isolated, *places], stdout=log, stderr=log)
        client = ("docker", "-H", host)
        for _ in range(300):
            if subprocess.run([*client, "version"], capture_output=True, check=False).returncode == 0:
                break
            if daemon.poll() is not None:
                pytest.skip(f"docker: dockerd does not start: {Path(root, 'log').read_text()[-300:]}")
            time.sleep(0.1)
        yield client
        daemon.terminate()
        daemon.wait()


@pytest.mark.docker
@pytest.mark.parametrize("said", ["alone", "with statements"])
def test_docker_pulls_what_we_pushed_and_we_pull_what_it_pushes(
    here: Here, docker: tuple[str, ...], said: str
) -> None:
    if said == "with statements":
        attest(here)
    here.push()

    run(*docker, "pull", f"{here.host}/demo:1")
    (described,) = json.loads(run(*docker, "image", "inspect", f"{here.host}/demo:1"))
    run(*docker, "tag", f"{here.host}/demo:1", f"{here.host}/docker:1")
    run(*docker, "push", f"{here.host}/docker:1")

    assert described["Id"] == here.image.id
    here.expects(*here.pull("docker:1"))
