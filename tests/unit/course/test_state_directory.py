"""Where images are kept, by what the environment says."""

import os
import pwd
from pathlib import Path

import pytest

from course.cli import state_directory

HOME = pwd.getpwuid(os.getuid()).pw_dir


@pytest.mark.parametrize(
    ("env", "place"),
    [
        ({"LAYERLAB_HOME": "/lab", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/lab"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/layerlab"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/layerlab"),
        ({"LAYERLAB_HOME": "", "XDG_STATE_HOME": "", "HOME": "/h"}, "/h/.local/state/layerlab"),
        ({"HOME": ""}, f"{HOME}/.local/state/layerlab"),
        ({}, f"{HOME}/.local/state/layerlab"),
    ],
)
def test_the_first_that_is_set_is_taken_and_never_the_current_directory(
    env: dict[str, str], place: str
) -> None:
    assert state_directory(env) == Path(place)
