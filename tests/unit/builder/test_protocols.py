"""The contract above the seams is true, and a workshop makes and closes its tools."""

from __future__ import annotations

import doctest
from typing import Any

import builder.protocols
from builder.protocols import Execution, Workshop


class Tool:
    def __init__(self, log: list[str], name: str) -> None:
        self.log = log
        self.name = name
        log.append(f"make {name}")

    def close(self) -> None:
        self.log.append(f"close {self.name}")


def workshop(log: list[str]) -> Workshop[Any]:
    tools: Any = Tool
    return Workshop(
        tools,
        tools,
        snapshotter=lambda: tools(log, "snapshotter"),
        runner=lambda _: tools(log, "runner"),
        execution=Execution.SIMULATED,
    )


def test_the_examples_of_the_contract_work() -> None:
    result = doctest.testmod(builder.protocols)

    assert result.attempted > 20
    assert result.failed == 0


def test_tools_are_made_when_first_used_and_closed_the_runner_first() -> None:
    log: list[str] = []
    with workshop(log) as tools:
        assert log == []
        assert tools.runner is tools.runner

    assert log == ["make snapshotter", "make runner", "close runner", "close snapshotter"]
    tools.close()
    assert len(log) == 4


def test_what_was_never_used_is_never_made() -> None:
    log: list[str] = []
    with workshop(log):
        pass

    assert log == []
