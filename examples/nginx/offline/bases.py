"""Makes stand-ins for the nginx example's base images from Debian packages: no registry, no root.

    python examples/nginx/offline/bases.py DIRECTORY

writes two OCI image layouts, DIRECTORY/gcc and DIRECTORY/glibc. Packages are downloaded by name with apt-get,
with lists and a cache of its own, and unpacked by dpkg-deb; nothing is installed. What the images bring:

* gcc: Debian's compiler, make, the headers of pcre and zlib, busybox, a ``wget`` that serves a local folder;
* glibc: busybox, the C library, and an ``apk`` that unpacks packages from a local folder.

nginx's source is the one of Debian (1.22.1 in bookworm), repacked under the name and the top folder that the
Dockerfile asks for; the output says so. What lies in DIRECTORY already is taken.
"""

from __future__ import annotations

import argparse
import gzip
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from builder.image.config import ImageConfig
from builder.image.digest import DiffID
from builder.image.image import History, Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor, Platform
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from unionfs_sim.layers.layer import File, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.unpack import read_layer
from unionfs_sim.trees import remove_tree

RUNTIME: Final = ("libc6", "libcrypt1", "libpcre3", "zlib1g")
COMPILER: Final = (
    *("gcc-12", "cpp-12", "binutils-x86-64-linux-gnu", "binutils", "libbinutils", "libctf0", "libctf-nobfd0"),
    *("libjansson4", "libisl23", "libmpc3", "libmpfr6", "libgmp10", "libzstd1", "libgcc-12-dev", "libgcc-s1"),
    *("libc6-dev", "linux-libc-dev", "libcrypt-dev", "make", "libpcre3-dev", "zlib1g-dev", "dash"),
)
PACKAGES: Final[Mapping[str, Sequence[str]]] = {
    "pcre": ("libpcre3", "libcrypt1"),
    "pcre-dev": ("libpcre3-dev",),
    "zlib": ("zlib1g",),
    "zlib-dev": ("zlib1g", "zlib1g-dev"),
    "openssl-dev": ("libssl3", "libssl-dev"),
}
"""What the stand-in for apk knows, and the Debian packages behind each."""

SOURCE: Final = "nginx-1.24.0"
"""The name and top folder that the examples' Dockerfiles expect."""

_LEFT_OUT: Final = ("doc", "man", "info", "lintian", "locale", "bug", "gdb", "doc-base")
_PROGRAMS_LEFT_OUT: Final = ("lto-dump", "gp-", "dwp", "gold", "gcov")
_FOLDER: Final = "/var/lib/offline"

WGET: Final = """\
#!/bin/sh
# Stand-in for wget: "downloads" from the folder /var/lib/offline what has the same name there.
out='' url=''
while [ $# -gt 0 ]; do
    case $1 in
    -O) out=$2; shift ;;
    -O*) out=${1#-O} ;;
    -*) ;;
    *) url=$1 ;;
    esac
    shift
done
file=/var/lib/offline/${url##*/}
[ -f "$file" ] || { echo "wget (stand-in): $url is not in the folder of this offline base" >&2; exit 8; }
case ${out:-${url##*/}} in
-) cat "$file" ;;
*) cat "$file" > "${out:-${url##*/}}" ;;
esac
"""

APK: Final = """\
#!/bin/sh
# Stand-in for apk: unpacks NAME.tar.gz from the folder /var/lib/offline.
command='' names=''
for word; do
    case $word in
    -*) ;;
    *) if [ -z "$command" ]; then command=$word; else names="$names $word"; fi ;;
    esac
done
case $command in
update) echo "OK: $(ls /var/lib/offline/*.tar.gz | wc -l) packages available (stand-in)" ;;
upgrade) echo "OK: nothing to upgrade (stand-in)" ;;
add)
    for name in $names; do
        [ -f "/var/lib/offline/$name.tar.gz" ] || {
            echo "ERROR: unable to select packages: $name (no such package in this offline base)" >&2
            exit 1
        }
    done
    for name in $names; do
        echo "Installing $name (stand-in)"
        tar -xzf "/var/lib/offline/$name.tar.gz" -C / || exit 1
    done ;;
*) echo "apk (stand-in): only update, upgrade and add" >&2; exit 2 ;;
esac
"""


class Apt:
    """apt-get with lists, cache and configuration of its own: the machine's are neither used nor changed.

    Which archives there are is taken from the machine's own sources, because only it knows a mirror near by.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in ("lists/partial", "cache/archives/partial", "debs", "source"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        archives = [each for each in archive_lines() if "/debian" in each]  # not what others offer
        if not archives:
            raise SystemExit("bases.py: /etc/apt names no archive of Debian: this needs a Debian machine")
        sources = directory / "sources.list"
        sources.write_text("".join(f"deb {each}\ndeb-src {each}\n" for each in archives))
        self._options = [
            *("-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null"),
            *("-o", f"Dir::State::Lists={directory}/lists", "-o", f"Dir::Cache={directory}/cache"),
            *("-o", "APT::Get::List-Cleanup=0", "-o", "APT::Sandbox::User="),
        ]

    def update(self) -> None:
        """Fetch the lists, if they are not here."""
        if not any((self.directory / "lists").glob("*Packages*")):
            self._run("update", cwd=self.directory)

    def package(self, name: str) -> Path:
        """The package as a file."""
        folder = self.directory / "debs"
        if not any(folder.glob(f"{name}_*.deb")):
            self._run("download", name, cwd=folder)
        return next(folder.glob(f"{name}_*.deb"))

    def source(self, name: str) -> Path:
        """The original tar of a source package."""
        folder = self.directory / "source"
        if not any(folder.glob(f"{name}_*.orig.tar.*")):
            self._run("source", "--tar-only", "--download-only", name, cwd=folder)
        return next(each for each in folder.glob(f"{name}_*.orig.tar.*") if not each.name.endswith(".asc"))

    def _run(self, *words: str, cwd: Path) -> None:
        done = subprocess.run(
            ["apt-get", "-q", *self._options, *words], cwd=cwd, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(
                f"bases.py: apt-get {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}"
            )


def archive_lines() -> Iterable[str]:
    """What follows ``deb`` in the machine's sources, one line and deb822 style both (sources.list(5))."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for place in places:
        if not place.is_file():
            continue
        text = place.read_text(errors="replace")
        if place.suffix == ".sources":
            for stanza in text.split("\n\n"):
                fields = dict(
                    line.split(":", 1) for line in stanza.splitlines() if ":" in line and line[0] not in "# "
                )
                kinds = fields.get("Types", "").split()
                keyring = fields.get("Signed-By", "").strip()
                option = f"[signed-by={keyring}] " if keyring.startswith("/") else ""
                if "deb" in kinds:
                    for uri in fields.get("URIs", "").split():
                        for suite in fields.get("Suites", "").split():
                            yield f"{option}{uri} {suite} {fields.get('Components', '').strip()}"
        else:
            for line in text.splitlines():
                if line.startswith("deb "):
                    yield line.removeprefix("deb ").strip()


def unpacked(packages: Iterable[Path]) -> Layer:
    """The files of Debian packages in one tree, without manuals and the like; owned by root."""
    trees = []
    for package in packages:
        with tempfile.TemporaryFile() as tar:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=tar, check=True)
            tar.seek(0)
            trees.append(read_layer(tar))
    tree = merged(trees)
    for name in _LEFT_OUT:
        remove(tree, f"/usr/share/{name}")
    return tree


def remove(tree: Layer, path: str) -> None:
    """Take away what is at ``path``, if anything is."""
    remove_tree(tree, path)


def busybox(apt: Apt, *, shell: str) -> Layer:
    """The little that every base has: busybox under all its names, accounts, empty directories."""
    found = unpacked([apt.package("busybox-static")])
    program = found.read_bytes("/bin/busybox" if found.exists("/bin/busybox") else "/usr/bin/busybox")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "busybox"
        path.write_bytes(program)
        path.chmod(0o755)
        names = subprocess.run(
            [path, "--list-full"], capture_output=True, text=True, check=True
        ).stdout.split()
    skipped = {
        "sbin/init",
        "bin/busybox",
        "usr/bin/ar",
        "usr/bin/strings",
        "usr/bin/dpkg",
        "usr/bin/dpkg-deb",
    }
    tree = {f"/{name}": Symlink("/bin/busybox") for name in names if name not in skipped}
    users = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    tree |= {
        "/bin/busybox": File(program, mode=0o755),
        "/bin/sh": Symlink(shell),
        "/etc/passwd": users,
        "/etc/group": "root:x:0:\nnobody:x:65534:\n",
        "/etc/nsswitch.conf": "hosts: files dns\n",
    }
    made = layer(tree)
    for name in ("tmp", "var/tmp", "root", "run", "usr/src", "lib", "lib64", "var/lib/offline"):
        path = "/"
        for part in name.split("/"):
            path = f"{path.rstrip('/')}/{part}"
            if not made.exists(path):
                made.mkdir(path, 0o755)
    for name in ("/tmp", "/var/tmp"):
        made.chmod(name, 0o1777)
    return made


def repacked(source: Path) -> tuple[bytes, str]:
    """The source under the name that the Dockerfile expects, gzipped; and what it was."""
    renamed = io.BytesIO()
    with tarfile.open(source) as old, tarfile.open(fileobj=renamed, mode="w") as new:
        top = ""
        for member in old:
            top = top or member.name.split("/")[0]
            member.name = SOURCE + member.name.removeprefix(top)
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    return gzip.compress(renamed.getvalue(), mtime=0), top


def with_files(tree: Layer, files: Mapping[str, File]) -> Layer:
    """``tree`` with ``files`` on top."""
    return merged([tree, layer(dict(files))])


def compiler_base(apt: Apt) -> Layer:
    """The stand-in for skillfir/alpine:gcc."""
    tools = unpacked(map(apt.package, (*RUNTIME, *COMPILER)))
    for name in tools.listdir("/usr/bin"):
        if any(part in name for part in _PROGRAMS_LEFT_OUT):
            tools.remove(f"/usr/bin/{name}")
    for path in ("/usr/lib/gcc/x86_64-linux-gnu/12/lto1", "/usr/lib/x86_64-linux-gnu/gconv"):
        remove(tools, path)
    sources, top = repacked(apt.source("nginx"))
    print(f"nginx: Debian's {top}, repacked as {SOURCE}.tar.gz with the top folder {SOURCE}")
    links = {
        "/usr/bin/gcc": Symlink("gcc-12"),
        "/usr/bin/cc": Symlink("gcc-12"),
        "/usr/bin/cpp": Symlink("cpp-12"),
    }
    files = {
        "/usr/local/bin/wget": File(WGET, mode=0o755),
        f"{_FOLDER}/{SOURCE}.tar.gz": File(sources),
    }
    # dash is /bin/sh: busybox's own shell would run its own wget, whatever PATH says.
    return with_files(merged([busybox(apt, shell="dash"), tools, layer(links)]), files)


def library_base(apt: Apt) -> Layer:
    """The stand-in for skillfir/alpine:glibc."""
    libraries = unpacked([apt.package("libc6")])
    for path in ("/usr/lib/x86_64-linux-gnu/gconv", "/lib/x86_64-linux-gnu/gconv"):
        remove(libraries, path)
    files = {"/sbin/apk": File(APK, mode=0o755)}
    for name, packages in PACKAGES.items():
        tree = unpacked(map(apt.package, packages))
        remove(tree, "/usr/share")
        files[f"{_FOLDER}/{name}.tar.gz"] = File(gzip.compress(b"".join(pack(tree)), mtime=0))
    return with_files(merged([busybox(apt, shell="/bin/busybox"), libraries]), files)


def write(tree: Layer, directory: Path, name: str) -> None:
    """An OCI image layout with one image of one layer."""
    with LayoutStore(str(directory)) as store:
        stored = store.put(pack(tree, latest_ns=0))
        blob = LayerBlob(replace(stored, media_type=MEDIA_LAYER), DiffID(stored.digest))
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        config = ImageConfig(env={"PATH": path}, working_dir="/usr/src", cmd=("/bin/sh",))
        history = (History("1970-01-01T00:00:00Z", "Debian packages, as a stand-in"),)
        image = Image(config, (blob,), history, Platform.parse("linux/amd64"), "1970-01-01T00:00:00Z")
        store.put([image.config_bytes()])
        manifest = image.manifest()
        put = store.put([manifest.to_bytes()])
        store.tag(Reference.parse(name), Descriptor(manifest.media_type, put.digest, put.size))
    print(f"{name}: {stored.size / 1e6:.0f} MB in {directory}")


def main() -> None:
    """Make both bases in the directory that the command line names; what is there already stays."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path, help="where downloads and the two layouts go")
    directory = parser.parse_args().directory.absolute()
    wanted = {"gcc": compiler_base, "glibc": library_base}
    missing = [name for name in wanted if not (directory / name / "index.json").exists()]
    if not missing:
        print(f"the bases are in {directory} already")
        return
    apt = Apt(directory / "apt")
    apt.update()
    for name in missing:
        write(wanted[name](apt), directory / name, f"skillfir/alpine:{name}")


if __name__ == "__main__":
    main()
