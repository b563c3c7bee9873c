"""Messages arrive as they were sent, descriptors and errors too."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.context.edit import (
    MakeDirectory,
    MakeHardlink,
    MakeNode,
    MakeSymlink,
    Remove,
    SetAttributes,
    WriteFile,
)
from builder.errors import BuildError, StepFailedError
from builder.namespace import wire
from builder.namespace.channel import Channel
from unionfs_sim.filesystem import Attributes
from unionfs_sim.nodes.content import Content
from unionfs_sim.tar.header import LayerFormatError

TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=20)
NUMBERS = st.none() | st.integers(0, 2**40)
ATTRIBUTES = st.builds(
    Attributes,
    mode=NUMBERS,
    uid=NUMBERS,
    gid=NUMBERS,
    atime_ns=NUMBERS,
    mtime_ns=NUMBERS,
    xattrs=st.none() | st.dictionaries(TEXTS, st.none() | st.binary(max_size=20)),
)
CONTENT = Content.of(b"content")
EDITS = st.one_of(
    st.builds(MakeDirectory, TEXTS, ATTRIBUTES),
    st.builds(WriteFile, TEXTS, st.just(CONTENT), ATTRIBUTES),
    st.builds(MakeSymlink, TEXTS, TEXTS, ATTRIBUTES),
    st.builds(MakeHardlink, TEXTS, TEXTS),
    st.builds(MakeNode, TEXTS, st.integers(0, 2**16), st.integers(0, 2**32), ATTRIBUTES),
    st.builds(Remove, TEXTS),
    st.builds(SetAttributes, TEXTS, ATTRIBUTES),
)


def sent(message: dict, descriptors: list[int] | None = None) -> tuple[dict, list[int]]:
    one, other = Channel.pair()
    one.send(message, descriptors or [])
    received = other.receive()
    one.close()
    assert other.receive() is None
    other.close()
    assert received is not None
    return received


@given(EDITS)
def test_an_edit_arrives_as_it_was(edit) -> None:
    message, _ = sent({"edit": wire.edit_told(edit)})

    assert wire.edit_of(message["edit"], CONTENT) == edit


@pytest.mark.parametrize("text", ["\udcff\udc80", "é\n", "x" * 100_000])
def test_names_that_are_not_utf_8_and_long_messages_arrive(text: str) -> None:
    assert sent({"path": text})[0] == {"path": text}


def test_descriptors_arrive_and_are_closed_on_exec() -> None:
    reads, writes = os.pipe()

    _, (arrived,) = sent({}, [writes])

    os.write(arrived, b"through")
    assert os.read(reads, 7) == b"through"
    assert not os.get_inheritable(arrived)
    for each in (reads, writes, arrived):
        os.close(each)


@pytest.mark.parametrize(
    "error",
    [
        OSError(2, "No such file or directory", "/a/\udcff"),
        BuildError("what", where="there", fix="this"),
        StepFailedError("what", exit_status=126),
        LayerFormatError("what", "entry"),
    ],
)
def test_an_error_is_raised_again_at_the_other_end(error: Exception) -> None:
    again = wire.error_of(sent(wire.error_told(error))[0])

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert getattr(again, "exit_status", None) == getattr(error, "exit_status", None)


def test_an_end_amid_a_message_is_an_end() -> None:
    import socket

    ours, theirs = socket.socketpair()
    channel = Channel(theirs)
    ours.sendall((100).to_bytes(4, "big") + b"{")
    ours.close()

    assert channel.receive() is None
    channel.close()
