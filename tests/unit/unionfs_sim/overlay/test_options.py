"""Mount options: what a string means, and what is refused with which errno (fs/overlayfs/params.c).

The cases were taken from the kernel; ``tests/real/test_mount_options.py`` asks it again.
"""

from __future__ import annotations

import errno
from typing import Any

import pytest

from unionfs_sim import Dir, Layer, Options, RedirectDir, Xino, layer, mount

BASE = "lowerdir=l2:l1,upperdir=u,workdir=w"


def test_lowers_are_base_first_though_the_string_is_top_first() -> None:
    assert Options.parse("lowerdir=top:middle:base").lowers == ("base", "middle", "top")


def test_data_only_lowers_stand_behind_double_colons() -> None:
    options = Options.parse("lowerdir=l2:l1::d1::d2")

    assert (options.lowers, options.data_lowers) == (("l1", "l2"), ("d2", "d1"))


def test_a_backslash_makes_a_colon_or_a_comma_part_of_a_path() -> None:
    options = Options.parse(r"lowerdir=a\:b:c\,d,upperdir=u\,p,workdir=w")

    assert (options.lowers, options.upper) == (("c,d", "a:b"), "u,p")


def test_lowers_can_be_added_one_by_one() -> None:
    options = Options.parse("lowerdir+=top,lowerdir+=base:with:colons,datadir+=d")

    assert (options.lowers, options.data_lowers) == (("base:with:colons", "top"), ("d",))


def test_every_option_has_its_field() -> None:
    options = Options.parse(f"{BASE},redirect_dir=on,metacopy=on,index=on,xino=on,volatile")

    assert options.redirect_dir is RedirectDir.ON
    assert (options.metacopy, options.index, options.volatile) == (True, True, True)
    assert options.xino is Xino.ON


@pytest.mark.parametrize(
    ("words", "redirect"),
    [
        ("", RedirectDir.FOLLOW),
        (",redirect_dir=off", RedirectDir.FOLLOW),
        (",redirect_dir=nofollow", RedirectDir.NOFOLLOW),
        (",metacopy=on", RedirectDir.ON),
        (",userxattr", RedirectDir.NOFOLLOW),
    ],
)
def test_what_redirect_dir_becomes(words: str, redirect: RedirectDir) -> None:
    assert Options.parse(BASE + words).settled(has_upper=True).redirect_dir is redirect


@pytest.mark.parametrize(
    "text",
    [
        f"{BASE},metacopy=on,redirect_dir=off",
        f"{BASE},metacopy=on,redirect_dir=nofollow",
        f"{BASE},userxattr,redirect_dir=on",
        f"{BASE},userxattr,metacopy=on",
        f"{BASE},index=maybe",
        f"{BASE},xino=maybe",
        f"{BASE},metacopy",
        f"{BASE},userxattr=on",
        f"{BASE},bogus",
        f"{BASE},nfs_export=on,index=off",
        "lowerdir=l1:",
        "lowerdir=:l1",
        "lowerdir=l1::",
        "lowerdir=::l1",
        "lowerdir=l1:::d1",
        "lowerdir=l1::d1:d2",
        "lowerdir=l1,upperdir=u",
        "lowerdir+=",
        "lowerdir=l1,lowerdir+=l2",
        "datadir+=d1,lowerdir+=l1",
        "lowerdir=" + ":".join(f"l{number}" for number in range(501)),
    ],
)
def test_strings_that_are_refused(text: str) -> None:
    with pytest.raises(OSError) as refusal:
        Options.parse(text)

    assert refusal.value.errno == errno.EINVAL


def test_a_string_is_what_its_options_print() -> None:
    text = r"lowerdir=a\:b:c,upperdir=u,workdir=w,redirect_dir=on,index=on,metacopy=on,xino=on,volatile"

    assert Options.parse(str(Options.parse(text))) == Options.parse(text)


def refused(code: int, *arguments: Any, **keywords: Any) -> None:
    with pytest.raises(OSError) as refusal:
        mount(*arguments, **keywords)
    assert refusal.value.errno == code


def test_a_single_lower_without_an_upper_is_no_union() -> None:
    refused(errno.EINVAL, [Layer()])


def test_a_layer_cannot_be_above_and_below() -> None:
    both = Layer()

    refused(errno.ELOOP, [both], both)
    refused(errno.ELOOP, [both, both], Layer())


def test_five_hundred_lowers_and_no_more() -> None:
    many = [layer({f"/{number}": ""}) for number in range(501)]

    assert len(mount(many[:500], Layer()).listdir("/")) == 500
    refused(errno.EINVAL, many, Layer())


def test_an_upper_of_a_volatile_mount_cannot_be_mounted_again() -> None:
    upper = Layer()
    mount([Layer()], upper, options=Options(volatile=True)).unmount()

    refused(errno.EINVAL, [Layer()], upper)


def test_an_index_belongs_to_its_lower() -> None:
    upper, lower = Layer(), layer({"/d": Dir()})
    mount([lower], upper, options=Options(index=True)).unmount()

    mount([lower], upper, options=Options(index=True)).unmount()
    refused(errno.ESTALE, [Layer()], upper, options=Options(index=True))


def test_two_unions_may_share_an_upper_when_there_is_no_index() -> None:
    upper = Layer()
    one, two = mount([layer({"/a": ""})], upper), mount([layer({"/b": ""})], upper)

    one.mkdir("/new")

    assert sorted(two.listdir("/")) == ["b", "new"]
