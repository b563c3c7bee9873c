"""COPY, ADD and WORKDIR where newer releases of BuildKit decide, which no daemon here has."""

from __future__ import annotations

import pytest

from builder.errors import BuildError, StepFailedError
from unionfs_sim.layers.layer import Dir, File, Symlink, layer

TREE = layer(
    {
        "/f": File("f", mode=0o640),
        "/run": File("r", mode=0o740),
        "/d/x": File("x", mode=0o600),
        "/d/s/y.go": "y",
        "/d/s/t/z.go": "z",
        "/top.go": "t",
        "/zl": Symlink("d"),
        "/empty": Dir(mode=0o700),
    }
)


def built(kitchen, text: str):
    return kitchen.tree(kitchen.build(f"FROM scratch\n{text}\n", files=TREE).image)


# fsutil copy.go, Copy: MkdirAll is given the number of --chmod; copyFileInfo gives it to directories too.
@pytest.mark.parametrize(
    ("flag", "made", "directory", "file"),
    [
        ("", 0o755, 0o700, 0o640),
        ("--chmod=777", 0o777, 0o777, 0o777),
        ("--chmod=0644", 0o644, 0o644, 0o644),
        ("--chmod=4755", 0o755, 0o4755, 0o4755),
        ("--chmod=a+rX", 0o755, 0o755, 0o644),
        ("--chmod=g=u", 0o755, 0o770, 0o660),
        ("--chmod=u=rwX,go=rX", 0o755, 0o755, 0o644),
        ("--chmod=o=g,u+s", 0o755, 0o4700, 0o4644),
    ],
)
def test_a_number_in_chmod_holds_for_directories_and_symbols_for_what_is_copied(
    kitchen, flag: str, made: int, directory: int, file: int
) -> None:
    tree = built(kitchen, f"COPY {flag} f /a/b/\nCOPY {flag} --parents empty /p/")

    modes = [tree.lstat(path).st_mode & 0o7777 for path in ("/a", "/a/b", "/p/empty", "/a/b/f")]
    assert modes == [made, made, directory, file]


# BuildKit convert_copy.go, dispatchCopy: the pattern of --parents is one of patternmatcher's.
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.go", {"/top.go", "/d/s/y.go", "/d/s/t/z.go"}),
        ("./**/*.go", {"/top.go", "/d/s/y.go", "/d/s/t/z.go"}),
        ("d/**/*.go", {"/d/s/y.go", "/d/s/t/z.go"}),
        ("d/*/*.go", {"/d/s/y.go"}),
        ("d/./**/z.go", {"/s/t/z.go"}),
        ("d/s", {"/d/s/y.go", "/d/s/t/z.go"}),
        ("d/s*", {"/d/s/y.go", "/d/s/t/z.go"}),
        ("*/x", {"/d/x"}),
        ("*.none", set()),
    ],
)
def test_parents_keeps_the_directories_of_whatever_its_pattern_matches(
    kitchen, pattern: str, expected: set[str]
) -> None:
    tree = built(kitchen, f"COPY f /o/mark\nCOPY --parents {pattern} /o/")

    found = {f"{at[2:]}/{name}" for at, _, names in tree.walk() for name in names} - {"/mark"}
    assert found == expected


def test_parents_walks_through_no_symlink(kitchen) -> None:
    with pytest.raises(BuildError, match="does not walk through the symlink zl"):
        built(kitchen, "COPY --parents zl/x /o/")


def test_several_sources_need_a_directory_because_each_would_replace_the_last(kitchen) -> None:
    assert built(kitchen, "COPY d /x\nCOPY f top.go /x").exists("/x/top.go")
    for copy in ("COPY f top.go /x", "COPY <<one <<two /x\n1\none\n2\ntwo"):
        with pytest.raises(BuildError, match=r"2 files, and /x is no directory"):
            built(kitchen, copy)


# BuildKit backend.go, readUser, for Mkdir: whom nobody knows is root.
@pytest.mark.parametrize("user", ["root", "nobody", "web:nobody"])
def test_a_workdir_is_roots_where_nobody_knows_the_user(kitchen, user: str) -> None:
    found = built(kitchen, f"USER {user}\nWORKDIR /w").lstat("/w")

    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (0, 0, 0o755)


def test_copy_for_a_user_whom_nobody_knows_is_refused(kitchen) -> None:
    with pytest.raises(BuildError, match="no user 'nobody'"):
        built(kitchen, "COPY --chown=nobody f /f")


# OCI image-spec layer.md, "Whiteouts": such a name cannot be in a layer.
@pytest.mark.parametrize(
    "line", ["COPY f /x/.wh.f", "COPY f /.wh.d/f", "WORKDIR /.wh.w", "ADD f /.wh..wh..opq"]
)
def test_a_name_that_means_a_deletion_is_refused_with_its_line(kitchen, line: str) -> None:
    with pytest.raises(StepFailedError, match=r"^Dockerfile:2: /.*\.wh\..* means a deletion"):
        built(kitchen, line)


def test_no_image_gets_more_layers_than_a_mount_takes(kitchen) -> None:
    lines = "\n".join(f"COPY f /{number}" for number in range(501))

    with pytest.raises(BuildError, match=r"^Dockerfile:502: the image has 500 layers"):
        built(kitchen, lines)
