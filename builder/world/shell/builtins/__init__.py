"""The builtins of the shells, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.world.shell.builtins import control, names, options, read, surroundings
from builder.world.shell.dialect import Dialect
from builder.world.shell.state import Builtin

EXTENDED: Final = frozenset({Dialect.ASH, Dialect.BASH})
ONLY_BASH: Final = frozenset({Dialect.BASH})

BUILTINS: Final[Mapping[str, Builtin]] = MappingProxyType(
    {
        ".": Builtin(control.dot, special=True),
        ":": Builtin(control.colon, special=True),
        "break": Builtin(control.break_, special=True),
        "continue": Builtin(control.continue_, special=True),
        "eval": Builtin(control.eval_, special=True),
        "exec": Builtin(control.exec_, special=True),
        "exit": Builtin(control.exit_, special=True),
        "export": Builtin(names.export, special=True, assigns=True),
        "readonly": Builtin(names.readonly, special=True, assigns=True),
        "return": Builtin(control.return_, special=True),
        "set": Builtin(options.set_, special=True),
        "shift": Builtin(control.shift, special=True),
        "times": Builtin(control.times, special=True),
        "trap": Builtin(control.trap, special=True),
        "unset": Builtin(names.unset, special=True),
        "local": Builtin(names.local, special=True, assigns=True),
        "source": Builtin(control.dot, special=True, dialects=EXTENDED),
        "declare": Builtin(names.declare, assigns=True, dialects=ONLY_BASH),
        "typeset": Builtin(names.declare, assigns=True, dialects=ONLY_BASH),
        "let": Builtin(names.let, dialects=EXTENDED),
        "[": Builtin(surroundings.test),
        "cd": Builtin(surroundings.cd),
        "command": Builtin(names.command),
        "echo": Builtin(surroundings.echo),
        "false": Builtin(control.false),
        "getopts": Builtin(options.getopts),
        "hash": Builtin(control.hash_),
        "jobs": Builtin(surroundings.jobs),
        "kill": Builtin(surroundings.kill),
        "printf": Builtin(surroundings.printf),
        "pwd": Builtin(surroundings.pwd),
        "read": Builtin(read.read),
        "test": Builtin(surroundings.test),
        "true": Builtin(control.colon),
        "type": Builtin(names.type_),
        "ulimit": Builtin(surroundings.ulimit),
        "umask": Builtin(surroundings.umask),
        "wait": Builtin(surroundings.wait),
    }
)
