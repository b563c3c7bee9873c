"""A setting of the wrong type, a layer that is none, a mount that cannot be: refused, with a sentence."""

from __future__ import annotations

import errno

import pytest

from unionfs_sim import Layer, Options, layer, mount
from unionfs_sim.overlay.options import Settings

LOWER = layer({"/a": "1"})
FROZEN = Layer().freeze()

WRONG_SETTINGS = [
    ({"metacopy": "off"}, "Options(metacopy='off'): give True, False"),
    ({"metacopy": "on"}, "Options.parse('metacopy=on')"),
    ({"index": 1}, "Options(index=1): give True, False"),
    ({"redirect_dir": "on"}, "give RedirectDir.ON, RedirectDir.FOLLOW"),
    ({"redirect_dir": True}, "give RedirectDir.ON"),
    ({"xino": "auto"}, "give Xino.ON, Xino.OFF, Xino.AUTO"),
    ({"userxattr": "yes"}, "give True, False"),
    ({"volatile": None}, "give True, False"),
]
WRONG_ARGUMENTS = [
    ({"profile": "kernel"}, "profile is of type Profile (Profile.KERNEL, Profile.FUSE_OVERLAYFS"),
    ({"profile": None}, "profile is of type Profile"),
    ({"options": "index=on"}, "options is of type Options (words are read by Options.parse)"),
    ({"options": Settings()}, "options is of type Options"),
    ({"lowers": "/lower"}, "lowers is a list of layers, not str"),
    ({"lowers": LOWER}, "lowers is a list of layers, not Layer"),
    ({"lowers": ["/lower"]}, "lower 0 is a str; make a layer of it"),
    ({"lowers": [LOWER, {"/b": "2"}]}, "lower 1 is a dict; make a layer of it"),
    ({"data_lowers": [None]}, "lower 1 is a NoneType"),
    ({"upper": "/upper"}, "the upper is a Layer() or None, not str"),
]
CANNOT_BE_MOUNTED = [
    ({"lowers": []}, errno.EINVAL, "a union needs a lower layer"),
    ({"lowers": [LOWER, LOWER]}, errno.ELOOP, "the same layer stands twice among the lowers"),
    ({"data_lowers": [LOWER]}, errno.ELOOP, "the same layer stands twice among the lowers"),
    ({"upper": LOWER}, errno.ELOOP, "the upper is a lower layer as well"),
    ({"upper": FROZEN}, errno.EROFS, "the upper is frozen"),
    ({"upper": None}, errno.EINVAL, "a single lower layer without an upper is no union"),
    ({"lowers": [Layer() for _ in range(501)]}, errno.EINVAL, "at most 500 lower layers, not 501"),
]
WRONG_WORDS = [
    ("verity=on", "fs-verity is not simulated"),
    ("nfs_export=on", "file handles for NFS are not simulated"),
    ("metacopy=yes", "'metacopy=yes' is no option of overlayfs; it knows lowerdir"),
    ("bogus", "'bogus' is no option"),
    ("metacopy=on,redirect_dir=off,lowerdir=a:b,upperdir=u,workdir=w", "metacopy=on needs redirect_dir=on"),
    ("userxattr,redirect_dir=on", "with userxattr no redirect is followed"),
    ("userxattr,metacopy=on", "with userxattr no metacopy is followed"),
    ("lowerdir=a,upperdir=u", "an upperdir needs a workdir"),
    ("lowerdir=:a", "':a' is no list of layers"),
]


@pytest.mark.parametrize(("setting", "sentence"), WRONG_SETTINGS)
def test_a_setting_of_the_wrong_type_is_no_other_setting(setting, sentence):
    with pytest.raises(TypeError) as refusal:
        mount([LOWER], Layer(), options=Options(**setting))

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("argument", "sentence"), WRONG_ARGUMENTS)
def test_what_is_no_layer_no_option_and_no_profile_is_called_so(argument, sentence):
    with pytest.raises(TypeError) as refusal:
        mount(**{"lowers": [LOWER], "upper": Layer(), **argument})

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("argument", "code", "sentence"), CANNOT_BE_MOUNTED)
def test_layers_that_do_not_go_together_are_refused_with_the_reason(argument, code, sentence):
    with pytest.raises(OSError) as refusal:
        mount(**{"lowers": [LOWER], "upper": Layer(), **argument})

    assert refusal.value.errno == code
    assert f"cannot mount: {sentence}" in str(refusal.value)


@pytest.mark.parametrize(("words", "sentence"), WRONG_WORDS)
def test_words_that_mean_nothing_are_refused_with_the_reason(words, sentence):
    with pytest.raises(OSError) as refusal:
        Options.parse(words)

    assert refusal.value.errno == errno.EINVAL
    assert sentence in str(refusal.value)


def test_unions_lie_two_deep_on_one_another_and_no_deeper():
    first = mount([LOWER], Layer())
    second = mount([first], Layer())

    with pytest.raises(OSError, match="2 deep") as refusal:
        mount([second], Layer())

    assert refusal.value.errno == errno.EINVAL
