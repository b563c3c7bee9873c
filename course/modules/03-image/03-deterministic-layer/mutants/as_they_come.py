"""Takes the files in the order in which the disk lists them."""

import gzip
import io
import tarfile


def pack(files):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in files:
            header = tarfile.TarInfo(file["path"])  # owner 0:0 without names, time 0
            header.size = len(file["content"])
            header.mode = file["mode"]
            archive.addfile(header, io.BytesIO(file["content"]))
    return gzip.compress(tar.getvalue(), mtime=0)
