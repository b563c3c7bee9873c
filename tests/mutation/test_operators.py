"""Every mutant is another program, and only its own place is changed."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from operators import mutants

ROOT = Path(__file__).parents[2]
MODULES = ("unionfs_sim/overlay/whiteout.py", "unionfs_sim/vfs/openfile.py", "builder/engine/cachekey.py")


@pytest.mark.parametrize("module", MODULES)
def test_every_mutant_is_another_program_that_differs_in_one_place(module: str) -> None:
    source = (ROOT / module).read_bytes()
    found = mutants(module, source.decode())

    assert len(found) > 20
    for mutant in found:
        changed = mutant.applied(source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source)), mutant
        assert changed.splitlines()[: mutant.line - 1] == source.splitlines()[: mutant.line - 1]
        assert mutant.after in changed.decode()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if a < b: pass", {"(a <= b)"}),
        ("if a and b: pass", {"(a or b)"}),
        ("if not a: pass", {"(a)"}),
        ("if a: pass", {"(not (a))"}),
        ("x = a | 7", {"(a & 7)", "8"}),
        ("def f() -> int:\n    return a", {"return None"}),
        ("while 1:\n    break", {"2", "continue"}),
        ("a.b = c", {"pass"}),
        ("raise E('no')", {"pass"}),
        ("x: Literal[1] = True", {"False"}),
        ("if TYPE_CHECKING:\n    f(1)", set()),
        ("x = f'{a + 1}'", set()),
    ],
)
def test_what_the_operators_make_of_a_line(source: str, expected: set[str]) -> None:
    assert {mutant.after for mutant in mutants("module.py", source)} == expected
