"""The same layers under each profile: what shows, what the upper holds, how it is explained."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from course.figures import overlay_stack
from unionfs_sim import WHITEOUT, Dir, Hardlink, Layer, Options, Profile, RedirectDir, Union, layer, mount

FUSE = [Profile.FUSE_OVERLAYFS, Profile.FUSE_OVERLAYFS_NODEV]


def stack(profile: Profile, *lowers: Layer, **options: object) -> Union:
    base = layer({"/f": "1", "/h": Hardlink("/f"), "/d/x": "2", "/d/e/y": "3"})
    return mount([base, *lowers], Layer(), profile=profile, **options)  # type: ignore[arg-type]


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.RaisesExc(OSError, check=lambda error: error.errno == number)


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_shows_what_the_layers_hold_together(profile: Profile) -> None:
    union = stack(profile, layer({"/f": WHITEOUT, "/d": Dir(opaque=True), "/d/new": "4"}))

    assert sorted(union.listdir("/")) == ["d", "h"]
    assert union.listdir("/d") == ["new"]


def test_only_fuse_overlayfs_reads_deletions_in_the_spelling_of_oci() -> None:
    spelt = layer({"/.wh.f": "", "/d/.wh..wh..opq": "", "/d/new": "4"})

    shown = {profile: sorted(stack(profile, spelt).listdir("/d")) for profile in Profile}

    assert shown[Profile.FUSE_OVERLAYFS] == ["new"]
    assert shown[Profile.KERNEL] == shown[Profile.OCI_UNPACK] == [".wh..wh..opq", "e", "new", "x"]


@pytest.mark.parametrize(
    ("profile", "left"),
    [
        (Profile.KERNEL, "Layer(/d/, /d/x (whiteout))"),
        (Profile.FUSE_OVERLAYFS, "Layer(/d/, /d/x (whiteout))"),
        (Profile.FUSE_OVERLAYFS_NODEV, "Layer(/d/, /d/.wh.x)"),
    ],
)
def test_a_deletion_is_spelt_as_the_profile_spells_it(profile: Profile, left: str) -> None:
    union = stack(profile)
    union.unlink("/d/x")

    assert repr(union.upper) == left


def test_a_name_deleted_without_a_device_can_be_made_again() -> None:
    union = stack(Profile.FUSE_OVERLAYFS_NODEV)
    union.unlink("/d/x")
    union.write_bytes("/d/x", b"new")

    assert union.read_bytes("/d/x") == b"new"
    assert repr(union.upper) == "Layer(/d/, /d/x)"


@pytest.mark.parametrize("profile", FUSE)
def test_an_upper_of_fuse_overlayfs_becomes_a_lower(profile: Profile) -> None:
    union = stack(profile)
    union.unlink("/d/x")
    union.unlink("/d/e/y")
    union.rmdir("/d/e")
    union.mkdir("/d/e")
    upper = union.unmount()
    assert upper is not None

    again = mount([*union.lowers, upper.freeze()], Layer(), profile=profile)

    assert again.listdir("/d") == ["e"]
    assert again.listdir("/d/e") == []


@pytest.mark.parametrize("profile", [Profile.KERNEL, *FUSE])
def test_a_union_cannot_rename_a_lower_directory(profile: Profile) -> None:
    with refused(errno.EXDEV):
        stack(profile).rename("/d", "/moved")


def test_an_unpacked_tree_renames_every_directory() -> None:
    union = stack(Profile.OCI_UNPACK)
    union.rename("/d", "/moved")

    assert sorted(union.listdir("/moved")) == ["e", "x"]


@pytest.mark.parametrize(
    ("profile", "links"),
    [(Profile.KERNEL, 1), (Profile.FUSE_OVERLAYFS, 3), (Profile.OCI_UNPACK, 3)],
)
def test_only_the_kernel_gives_a_merged_directory_one_link(profile: Profile, links: int) -> None:
    assert stack(profile, layer({"/d/z": "5"})).stat("/d").st_nlink == links


@pytest.mark.parametrize(
    ("profile", "seen"),
    [(Profile.KERNEL, b"1"), (Profile.FUSE_OVERLAYFS, b"new"), (Profile.OCI_UNPACK, b"new")],
)
def test_the_kernel_alone_breaks_hard_links(profile: Profile, seen: bytes) -> None:
    union = stack(profile)
    union.write_bytes("/f", b"new")

    assert union.read_bytes("/h") == seen


def test_without_root_an_opaque_directory_is_marked_for_the_user() -> None:
    union = stack(Profile.FUSE_OVERLAYFS, options=Options(userxattr=True))
    union.mkdir("/n")

    assert union.upper is not None
    assert union.upper.xattrs("/n") == {"user.fuseoverlayfs.opaque": b"y"}
    assert union.xattrs("/n") == {}


def test_fuse_overlayfs_refuses_redirects() -> None:
    with refused(errno.EINVAL):
        stack(Profile.FUSE_OVERLAYFS, options=Options(redirect_dir=RedirectDir.ON))


@pytest.mark.parametrize("profile", FUSE)
def test_marks_cannot_be_set_nor_seen(profile: Profile) -> None:
    union = stack(profile)
    with refused(errno.EPERM):
        union.setxattr("/f", "user.fuseoverlayfs.opaque", b"y")
    union.chmod("/f", 0o600)

    assert union.listxattr("/f") == []


@pytest.mark.parametrize("profile", FUSE)
def test_names_that_are_markers_or_too_long_are_refused(profile: Profile) -> None:
    union = stack(profile)
    with refused(errno.EINVAL):
        union.write_bytes("/.wh.x", b"")
    with refused(errno.ENAMETOOLONG):
        union.mkdir("/" + "n" * 252)


def test_an_unpacked_tree_leaves_the_layers_as_they_were() -> None:
    lower, upper = layer({"/a": "1"}), layer({"/a": WHITEOUT, "/b": "2"})
    union = mount([lower], upper, profile=Profile.OCI_UNPACK)
    union.write_bytes("/b", b"changed")

    assert union.listdir("/") == ["b"]
    assert lower == layer({"/a": "1"})
    assert upper == layer({"/a": WHITEOUT, "/b": "2"})


def test_an_unpacked_tree_without_an_upper_is_read_only() -> None:
    union = mount([layer({"/a": "1"})], profile=Profile.OCI_UNPACK)
    with refused(errno.EROFS):
        union.unlink("/a")


@pytest.mark.parametrize("profile", Profile)
def test_undo_and_redo_work_under(profile: Profile) -> None:
    union = stack(profile, history=50)
    before = sorted(union.listdir("/d")), union.read_bytes("/f")
    union.unlink("/d/x")
    union.mkdir("/d/x")
    union.write_bytes("/f", b"new")
    while union.undo():
        pass
    assert (sorted(union.listdir("/d")), union.read_bytes("/f")) == before
    while union.redo():
        pass
    assert union.stat("/d/x").st_mode & 0o040000
    assert union.read_bytes("/f") == b"new"


def test_a_deletion_in_the_spelling_of_oci_is_explained() -> None:
    text = str(stack(Profile.FUSE_OVERLAYFS, layer({"/.wh.f": ""})).explain("/f", ["base", "top"]))

    assert "top has a whiteout at /f: the search ends there" in text


def test_an_unpacked_path_is_explained_by_who_unpacked_it_last() -> None:
    explanation = stack(Profile.OCI_UNPACK, layer({"/d/x": "5"})).explain("/d/x", ["base", "top"])

    assert explanation.rule == "the plain tree answers, no layer is asked; top was the last to unpack it"
    assert [each.asked for each in explanation.answers] == [True, False, False]


@pytest.mark.parametrize("profile", Profile)
def test_the_figure_of_the_stack_is_drawn_under(profile: Profile) -> None:
    union = stack(profile, layer({"/d/x": WHITEOUT}))

    assert "/d/x" in overlay_stack.of(union, ["/d/x", "/f"])._repr_svg_()


def test_the_kernels_union_loads_no_other_profile() -> None:
    code = (
        "import sys, unionfs_sim as u; u.mount([u.Layer()], u.Layer());"
        "print([name for name in sys.modules if name.startswith('unionfs_sim.profiles.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['unionfs_sim.profiles.profile']"
