"""The bytes of a copy-up: shared where they cannot change, holes kept where the kernel keeps them."""

from __future__ import annotations

from unionfs_sim.nodes.content import CHUNK, PAGE, Buffer, Content


def copied_up(source: Content, length: int) -> Content:
    """What copy-up makes of a file's bytes: the same object if it cannot change, else a copy.

    ``length``: the size of the copy; a metacopy's can be another than that of the file with its bytes.

    Holes are found as the kernel finds them (``ovl_copy_up_file``): at the beginning of every chunk of
    one mebibyte it skips to the next page with bytes; holes inside a chunk are filled with zeros.
    """
    if not isinstance(source, Buffer) and source.size == length:
        return source
    copy = Buffer()
    size, place = min(source.size, length), 0
    while place < size:
        page = source.next_data(place // PAGE)
        if page is None or page * PAGE >= size:
            break
        place = max(place, page * PAGE)
        copy.write(place, source.read(place, min(CHUNK, size - place)))
        place += CHUNK
    if copy.size != length:
        copy.truncate(length)
    return copy
