"""Inside: answers questions about a tree of files, for as long as somebody asks (``rootfs`` does)."""

from __future__ import annotations

from builder.context.edit import make
from builder.errors import BuildError
from builder.namespace import wire
from builder.namespace.channel import Channel, Message
from builder.namespace.editing import edits_from
from builder.namespace.owned import OwnedDirectory, opened
from builder.namespace.stack import Stack


def serve(channel: Channel, message: Message, _: list[int]) -> None:
    """Answer each ``{"do": verb, "path": …, "more": […]}`` about the root that ``stack`` describes.

    "apply" makes edits in it, which come through a pipe.
    """
    with opened(Stack.of(message["stack"])) as directory:
        while (received := channel.receive()) is not None:
            question, descriptors = received
            try:
                if question["do"] == "apply":
                    make(directory, edits_from(descriptors[0]))
                    channel.send({})
                else:
                    _answer(channel, directory, question)
            except (OSError, ValueError, BuildError) as error:
                channel.send({"failed": wire.error_told(error)})


def _answer(channel: Channel, fs: OwnedDirectory, question: Message) -> None:
    path, more = question["path"], question["more"]
    match question["do"]:
        case "lstat":
            channel.send({"stat": list(fs.lstat(path))})
        case "listdir":
            channel.send({"names": fs.listdir(path)})
        case "readlink":
            channel.send({"target": fs.readlink(path)})
        case "xattrs":
            channel.send({"xattrs": wire.xattrs_told(fs.xattrs(path))})
        case "open":
            with fs.open(path, *more) as file:
                channel.send({}, [file.fileno()])
        case "setattr":
            fs.setattr(path, wire.attributes_of(more[0]))
            channel.send({})
        case "symlink" | "link" as verb:
            getattr(fs, verb)(more[0], path)
            channel.send({})
        case "mkdir" | "mknod" | "remove" as verb:
            getattr(fs, verb)(path, *more)
            channel.send({})
