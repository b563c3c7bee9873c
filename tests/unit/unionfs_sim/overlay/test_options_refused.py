"""What is named and refused: rows 32 and 44 of the comparison with the kernel."""

from __future__ import annotations

import errno

import pytest

from unionfs_sim import Options


@pytest.mark.parametrize("word", ["verity=on", "verity=require"])
def test_row_32_fs_verity_is_refused_as_an_option_that_the_file_system_lacks(word: str) -> None:
    with pytest.raises(OSError) as refusal:
        Options.parse(f"lowerdir=/l,metacopy=on,{word}")

    assert refusal.value.errno == errno.EINVAL


@pytest.mark.parametrize("word", ["nfs_export=on", "nfs_export=on,index=on", "casefold"])
def test_row_44_exported_handles_and_casefolding_are_refused(word: str) -> None:
    with pytest.raises(OSError) as refusal:
        Options.parse(f"lowerdir=/l,{word}")

    assert refusal.value.errno == errno.EINVAL
