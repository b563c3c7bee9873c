"""--chmod reads what chmod(1) reads."""

from __future__ import annotations

import pytest

from builder.context.modes import parse_mode


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("755", 0o600, 0o755),
        ("0644", 0o600, 0o644),
        ("4755", 0o600, 0o4755),
        ("u=rwX,go=rX", 0o700, 0o755),
        ("u=rwX,go=rX", 0o600, 0o644),
        ("+x", 0o644, 0o755),
        ("a-w", 0o666, 0o444),
        ("g+s", 0o755, 0o2755),
        ("o+t", 0o755, 0o1755),
        ("u+s", 0o755, 0o4755),
        ("u-x+w", 0o555, 0o655),
    ],
)
def test_a_mode_changes_the_permission_bits(text: str, before: int, after: int):
    assert oct(parse_mode(text)(before, is_directory=False)) == oct(after)


def test_capital_x_is_for_directories_and_what_is_executable_already():
    assert parse_mode("a+X")(0o600, is_directory=True) == 0o711
    assert parse_mode("a+X")(0o600, is_directory=False) == 0o600


@pytest.mark.parametrize("text", ["", "rwx", "8", "u=q", "u+x,", "99999", "17777"])
def test_what_is_no_mode_is_refused(text: str):
    with pytest.raises(ValueError, match=r"mode|bits"):
        parse_mode(text)
