"""Runs the statements of an awk program on its records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builder.world.utilities.awk import syntax
from builder.world.utilities.awk.evaluator import Evaluator, Return
from builder.world.utilities.awk.state import State
from builder.world.utilities.awk.values import NOTHING, Input, string, truth
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.words.printf import formatted_values


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Next(Exception):
    pass


class _NextFile(Exception):
    pass


class _Exit(Exception):
    pass


class Interpreter(Evaluator):
    """One run: BEGIN, the records, END."""

    def __init__(self, program: syntax.Program, state: State) -> None:
        super().__init__(program, state)
        self.status = 0
        self.in_range: set[int] = set()
        self._executors: dict[type, Callable[[Any], None]] = {
            syntax.Print: self._print,
            syntax.Evaluate: lambda node: self._discard(self.value(node.expression)),
            syntax.Block: self._block,
            syntax.If: self._if,
            syntax.Loop: self._loop,
            syntax.ForIn: self._for_in,
            syntax.Delete: self._delete,
            syntax.Jump: self._jump,
        }

    # -- the whole

    def run(self) -> int:
        """BEGIN, then every record, then END; the exit status."""
        rules = self.program.rules
        try:
            for rule in rules:
                if rule.pattern == "BEGIN" and rule.action:
                    self._block(rule.action)
            if any(rule.pattern != "BEGIN" for rule in rules):
                self._records()
        except _Exit:
            pass  # exit still runs END
        except (_Next, _NextFile):
            raise UsageError("next used in BEGIN or END") from None
        self._end()
        return self.status

    def _end(self) -> None:
        try:
            for rule in self.program.rules:
                if rule.pattern == "END" and rule.action:
                    self._block(rule.action)
        except _Exit:
            pass

    def _records(self) -> None:
        rules = [(at, rule) for at, rule in enumerate(self.program.rules) if not rule.pattern]
        check = self.state.process.machine.check
        while (record := self.state.next_record()) is not None:
            check()
            self.state.set_record(record)
            try:
                for at, rule in rules:
                    if self._selected(at, rule):
                        if rule.action is None:
                            self.state.write(
                                self._text_of(self.state.field(0)) + self.state.text("ORS"), "", b""
                            )
                        else:
                            self._block(rule.action)
            except _Next:
                continue
            except _NextFile:
                self.state.skip_file()

    def _selected(self, at: int, rule: syntax.Rule) -> bool:
        if rule.first is None:
            return True
        if rule.last is None:
            return truth(self.value(rule.first))
        if at not in self.in_range:
            if not truth(self.value(rule.first)):
                return False
            self.in_range.add(at)
        if truth(self.value(rule.last)):
            self.in_range.discard(at)
        return True

    # -- statements

    def execute(self, node: syntax.Statement) -> None:
        """Run a statement."""
        self._executors[type(node)](node)

    def _block(self, node: syntax.Block) -> None:
        for statement in node.statements:
            self._executors[type(statement)](statement)

    def _print(self, node: syntax.Print) -> None:
        values = [self.value(argument) for argument in node.arguments]
        if node.formatted:
            if not values:
                raise UsageError("Too few arguments")
            data = formatted_values(self._text_of(values[0]), values[1:], self.state.account_memory)
        else:
            conversion = self.state.text("OFMT")
            shown = [string(value, conversion) for value in values] or [self._text_of(self.state.field(0))]
            data = self.state.text("OFS").join(shown) + self.state.text("ORS")
        target = self.text(node.target) if node.target is not None else b""
        self.state.write(data, node.redirect, target)

    def _if(self, node: syntax.If) -> None:
        if truth(self.value(node.condition)):
            self.execute(node.then)
        elif node.otherwise is not None:
            self.execute(node.otherwise)

    def _loop(self, node: syntax.Loop) -> None:
        if node.first is not None:
            self.execute(node.first)
        check = self.state.process.machine.check
        ask = not node.at_end
        while not ask or node.condition is None or truth(self.value(node.condition)):
            ask = True
            check()
            try:
                self.execute(node.body)
            except _Break:
                break
            except _Continue:
                pass
            if node.step is not None:
                self.execute(node.step)

    def _for_in(self, node: syntax.ForIn) -> None:
        array = self.array(node.name)
        for key in list(array):
            if key not in array:
                continue
            self._assign(node.variable, Input(key))
            try:
                self.execute(node.body)
            except _Break:
                break
            except _Continue:
                continue

    def _delete(self, node: syntax.Delete) -> None:
        if node.subscript is None:
            self.state.clear(self.array(node.name))
        else:
            self.state.remove(self.array(node.name), self._key(node.subscript))

    def _jump(self, node: syntax.Jump) -> None:
        if node.kind == "return":
            raise Return(self.value(node.value) if node.value is not None else NOTHING)
        if node.kind == "exit":
            if node.value is not None:
                self.status = int(self.number(node.value)) & 255
            raise _Exit
        raise {"break": _Break, "continue": _Continue, "next": _Next, "nextfile": _NextFile}[node.kind]
