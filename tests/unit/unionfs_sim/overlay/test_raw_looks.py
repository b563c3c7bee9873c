"""A raw layer under a union says what is in it, whatever the union did to it since the last look."""

import random
from collections.abc import Callable

import pytest

from unionfs_sim import Caller, Layer, Options, Profile, RedirectDir, Union, layer, mount
from unionfs_sim.vfs.posix import Posix

NAMES = ("a", "b", "c")
PLACES = [f"/{one}" for one in NAMES] + [f"/{one}/{two}" for one in NAMES for two in NAMES]
PLACES += [f"{place}/{name}" for place in PLACES[3:] for name in NAMES]

CHANGES: dict[str, Callable[[Union, str, str], object]] = {
    "mkdir": lambda fs, one, _: fs.mkdir(one),
    "create": lambda fs, one, _: fs.write_bytes(one, one.encode()),
    "rename": lambda fs, one, two: fs.rename(one, two),
    "exchange": lambda fs, one, two: fs.renameat2(one, two, 2),
    "remove": lambda fs, one, _: fs.remove(one),
    "chmod": lambda fs, one, two: fs.chmod(one, 0o700 if len(two) % 2 else 0o755),
    "symlink": lambda fs, one, two: fs.symlink(two, one),
    "undo": lambda fs, _, __: fs.undo(),
    "redo": lambda fs, _, __: fs.redo(),
    "raw mkdir": lambda fs, one, _: fs.upper.mkdir(one),
    "raw rename": lambda fs, one, two: fs.upper.rename(one, two),
}


def answers(fs: Posix) -> dict[str, object]:
    """What every path says, without following what it leads to."""
    said: dict[str, object] = {}
    for place in PLACES:
        try:
            said[place] = (
                fs.lstat(place)[:6],
                sorted(fs.listdir(place)) if fs.lstat(place)[0] >> 14 == 1 else 0,
            )
        except OSError as error:
            said[place] = error.errno
    return said


def afresh(fs: Posix, number: int) -> Posix:
    """The same tree as somebody sees it who has never looked before."""
    return fs.acting_as(Caller(groups=frozenset({number})))


@pytest.mark.parametrize("profile", [Profile.KERNEL, Profile.FUSE_OVERLAYFS])
@pytest.mark.parametrize("seed", range(6))
def test_looks_between_changes_tell_what_a_first_look_tells(seed, profile):
    chance = random.Random(seed)
    lower = layer({"/a/a/a": "1", "/a/b/c": "2", "/b/c/a": "3", "/c": "4"})
    redirect = RedirectDir.ON if seed % 2 and profile is Profile.KERNEL else RedirectDir.FOLLOW
    union = mount([lower], Layer(), options=Options(redirect_dir=redirect), history=50, profile=profile)

    for number in range(100):
        change = CHANGES[chance.choice([*CHANGES, "rename", "mkdir"])]
        try:
            change(union, chance.choice(PLACES), chance.choice(PLACES))
        except OSError:
            pass
        assert answers(union.upper) == answers(afresh(union.upper, number))
        assert answers(union) == answers(afresh(union, number))


def test_a_renamed_directory_is_gone_from_its_old_place_in_the_upper():
    union = mount([layer({"/x": "1"})], Layer())
    union.mkdir("/p")
    union.write_bytes("/p/f", b"1")
    assert union.upper.read_bytes("/p/f") == b"1"

    union.rename("/p", "/q")

    assert not union.upper.exists("/p/f")
    union.mkdir("/p")
    union.write_bytes("/p/g", b"2")
    assert union.upper.read_bytes("/p/g") == b"2"
    union.upper.write_bytes("/p/h", b"3")
    assert union.listdir("/q") == ["f"]


@pytest.mark.parametrize("steps", [("undo",), ("undo", "redo", "undo")])
def test_a_directory_that_was_taken_back_is_gone_from_the_upper(steps):
    union = mount([layer({"/x": "1"})], Layer(), history=10)
    union.mkdir("/p")
    assert not union.upper.exists("/p/f")

    for step in steps:
        getattr(union, step)()

    assert not union.upper.exists("/p")
    with pytest.raises(FileNotFoundError):
        union.upper.write_bytes("/p/f", b"lost")
