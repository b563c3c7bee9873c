"""Mount option strings, asked of the kernel and of the model: the same errno, the same options in force."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from itertools import product

import oracles
import pytest
from oracles import recorded

from unionfs_sim import Layer, Options, mount

BASES = ("lowerdir=l2:l1,upperdir=u,workdir=w", "lowerdir=l2:l1")
WORDS = [
    "redirect_dir=on",
    "redirect_dir=off",
    "redirect_dir=follow",
    "redirect_dir=nofollow",
    "redirect_dir=x",
    "metacopy=on",
    "metacopy=off",
    "metacopy=x",
    "metacopy",
    "index=on",
    "index=off",
    "index=x",
    "xino=on",
    "xino=auto",
    "xino=x",
    "userxattr",
    "userxattr=on",
    "volatile",
    "volatile=x",
    "nfs_export=off",
    "verity=off",
    "uuid=null",
    "uuid=x",
    "default_permissions",
    "bogus",
    "bogus=1",
]
PATHS = [
    "",
    "lowerdir=",
    "lowerdir=l1",
    "lowerdir=:l1",
    "lowerdir=l1:",
    "lowerdir=l1::d1",
    "lowerdir=l2:l1::d1::d2",
    "lowerdir=l1::d1:d2",
    "lowerdir=l2::l1:d1",
    "lowerdir=::l1",
    "lowerdir=l1::",
    "lowerdir=l1:::d1",
    "lowerdir=l1,upperdir=u",
    "lowerdir=l1,workdir=w",
    "upperdir=u,workdir=w",
    "lowerdir=l1:l1",
    "lowerdir=u,upperdir=u,workdir=w",
    r"lowerdir=a\:b,upperdir=u,workdir=w",
    "lowerdir=a:b,upperdir=u,workdir=w",
    r"lowerdir=a\,b,upperdir=u,workdir=w",
    "lowerdir=l1,upperdir=a:b,workdir=w",
    "lowerdir+=l2,lowerdir+=l1",
    r"lowerdir=l1,upperdir=a\,b,workdir=w",
    "lowerdir+=a:b,upperdir=u,workdir=w",
    "lowerdir=l1,lowerdir+=l2",
    "lowerdir+=l1,datadir+=d1",
    "datadir+=d1,lowerdir+=l1",
    "lowerdir+=l1,datadir+=d1,lowerdir+=l2",
    "lowerdir+=",
    "lowerdir=nope,upperdir=u,workdir=w",
    "lowerdir=l1::d1,upperdir=u,workdir=w,userxattr",
]
STRINGS = [
    *PATHS,
    *(f"{base},{word}" for base, word in product(BASES, WORDS)),
    *(f"{BASES[0]},{one},{two}" for one, two in product(WORDS[:7], ["userxattr", *WORDS[:8]])),
]
SHOWN = ("redirect_dir", "metacopy", "index", "userxattr")
DIRECTORIES = ("l1", "l2", "u", "w", "m", "a:b", "a,b", "d1", "d2")
ASK = """
import ctypes, json, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
place, names, strings = json.load(sys.stdin)
subprocess.run(["mount", "-t", "tmpfs", "t", place], check=True)
os.chdir(place)
answers = []
for text in strings:
    subprocess.run(["rm", "-rf", *names], check=True)
    for name in names:
        os.mkdir(name)
    target = os.path.join(place, "m").encode()
    failed = libc.mount(b"o", target, b"overlay", 0, text.encode("utf-8", "surrogateescape"))
    answer = [ctypes.get_errno() if failed else 0, ""]
    if not failed:
        with open("/proc/self/mountinfo") as mounts:
            shown = [line for line in mounts if " " + place + "/m " in line][-1]
        answer[1] = shown.split(" - ")[1].split()[2]
        libc.umount2(target, 0)
    answers.append(answer)
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, set[str]]]:
    """What the kernel says to each string: an errno, and the options that it shows."""

    def ask() -> list[list[object]]:
        done = subprocess.run(
            ["unshare", "-m", sys.executable, "-c", ASK],
            input=json.dumps([str(tmp_path_factory.mktemp("options")), DIRECTORIES, STRINGS]),
            capture_output=True,
            text=True,
            check=True,
        )
        answers = json.loads(done.stdout)
        return [
            [text, code, [word for word in line.split(",") if word.split("=")[0] in SHOWN]]
            for text, (code, line) in zip(STRINGS, answers, strict=True)
        ]

    return {text: (code, set(shown)) for text, code, shown in recorded("mount-options", oracles.kernel, ask)}


def of_model(text: str) -> tuple[int, set[str]]:
    """What the model says: paths are names of empty layers."""
    known = {name: Layer() for name in DIRECTORIES}
    try:
        options = Options.parse(text)
        if not {*options.lowers, *options.data_lowers, options.upper or "u"} <= known.keys():
            return errno.ENOENT, set()
        union = mount(
            [known[name] for name in options.lowers],
            known[options.upper] if options.upper else None,
            data_lowers=[known[name] for name in options.data_lowers],
            options=options,
        )
    except OSError as error:
        return error.errno or 0, set()
    return 0, {word for word in str(union.options).split(",") if word.split("=")[0] in SHOWN}


@pytest.mark.parametrize("text", STRINGS)
def test_the_model_answers_as_the_kernel(text: str, kernel: dict[str, tuple[int, set[str]]]) -> None:
    assert of_model(text) == kernel[text]


def test_enough_strings_are_accepted_and_enough_refused(kernel: dict[str, tuple[int, set[str]]]) -> None:
    accepted = sum(code == 0 for code, _ in kernel.values())

    assert min(accepted, len(kernel) - accepted) > len(kernel) // 4
