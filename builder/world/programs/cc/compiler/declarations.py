"""Reading types: specifiers, declarators, structures and enumerations (ISO C 6.7)."""

from __future__ import annotations

from typing import Final, NamedTuple

from builder.world.programs.cc.compiler.scope import CompiledUnit, Name, TokenReader
from builder.world.programs.cc.ctype import (
    BY_WORDS,
    INT,
    VOID,
    CType,
    Fields,
    Record,
    array_of,
    decayed,
    pointer_to,
    size_of,
)
from builder.world.programs.cc.source.tokens import KEYWORDS, CompileError, Token

_QUALIFIERS: Final = frozenset(
    ["const", "volatile", "restrict", "register", "auto", "inline", "_Noreturn", "__inline", "__restrict"]
)
_STORAGE: Final = frozenset(("static", "extern", "typedef"))
_BASIC: Final = frozenset(
    ["void", "char", "short", "int", "long", "signed", "unsigned", "_Bool", "float", "double"]
)


class Specifiers(NamedTuple):
    """The first half of a declaration: a storage class (or "") and a type."""

    storage: str
    type: CType


class DeclarationReader(TokenReader):
    """Reads declarations; expressions inside them are read by a subclass."""

    def __init__(self, tokens: list[Token], unit: CompiledUnit) -> None:
        super().__init__(tokens)
        self.unit = unit
        self.scopes: list[dict[str, Name]] = [{}]
        self.tags: list[dict[str, Record]] = [{}]

    def constant_value(self) -> int:
        """The value of a constant expression, which comes next."""
        raise NotImplementedError

    def open_scope(self) -> None:
        """Let names that follow hide those outside."""
        self.scopes.append({})
        self.tags.append({})

    def close_scope(self) -> None:
        """Forget the names of the innermost scope."""
        self.scopes.pop()
        self.tags.pop()

    def find(self, name: str) -> Name | None:
        """What ``name`` means here; None if it was never declared."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def at_type(self) -> bool:
        """Whether a type comes next."""
        token = self.token
        if token.kind != "name":
            return False
        if token.text in _BASIC or token.text in _QUALIFIERS or token.text in _STORAGE:
            return True
        if token.text in ("struct", "union", "enum"):
            return True
        known = self.find(token.text)
        return known is not None and known.is_type

    def specifiers(self) -> Specifiers:
        """Read storage class and type; CompileError if no type comes next."""
        storage, words = "", []
        found: CType | None = None
        start = self.token
        while self.token.kind == "name":
            text = self.token.text
            if text in _STORAGE:
                storage = text
            elif text in _BASIC:
                words.append(text)
            elif text in ("struct", "union"):
                self.advance()
                found = self._record(text)
                continue
            elif text == "enum":
                self.advance()
                found = self._enumeration()
                continue
            elif text not in _QUALIFIERS:
                known = self.find(text)
                if known is None or not known.is_type or found is not None or words:
                    break
                found = known.type
            self.advance()
        if found is None:
            found = self._basic(words, start)
        return Specifiers(storage, found)

    def _basic(self, words: list[str], start: Token) -> CType:
        if not words:
            if start.kind == "name" and start.text not in KEYWORDS:
                raise CompileError(f"unknown type name '{start.text}'", start.where)
            raise CompileError(f"expected declaration specifiers before '{start.text}'", start.where)
        if "float" in words or "double" in words:
            raise CompileError("not simulated: floating point (float, double)", start.where)
        if "void" in words:
            return VOID
        size = 4
        for word, wanted in (("long", 8), ("short", 2), ("char", 1), ("_Bool", 1)):
            if word in words:
                size = wanted
        return BY_WORDS[(size, "unsigned" not in words and "_Bool" not in words)]

    def _record(self, word: str) -> CType:
        tag = self.advance().text if self.token.kind == "name" else f"<anonymous {self.token.where}>"
        record = next((tags[tag] for tags in reversed(self.tags) if tag in tags), None)
        if record is None or (self.at("{") and tag not in self.tags[-1]):
            record = Record("record", fields=Fields(tag))
            self.tags[-1][tag] = record
        if self.at("{"):
            opening = self.advance()
            if record.fields.complete:
                raise CompileError(f"redefinition of '{word} {tag}'", opening.where)
            self._members(word, record.fields)
        return record

    def _members(self, word: str, fields: Fields) -> None:
        offset, align = 0, 1
        while not self.accept("}"):
            base = self.specifiers().type
            while not self.at(";"):
                token, name, ctype = self.declarator(base)
                if self.at(":"):
                    raise CompileError("not simulated: bit-fields", self.token.where)
                self.complete(ctype, token)
                align = max(align, ctype.align)
                place = 0 if word == "union" else -(-offset // ctype.align) * ctype.align
                fields.places[name] = (place, ctype)
                offset = max(offset, place + size_of(ctype))
                if not self.accept(","):
                    break
            self.expect(";")
        fields.size = -(-offset // align) * align
        fields.complete = True

    def _enumeration(self) -> CType:
        if self.token.kind == "name":
            self.advance()
        if self.accept("{"):
            value = 0
            while not self.at("}"):
                name = self.name_token()
                if self.accept("="):
                    value = self.constant_value()
                self.scopes[-1][name.text] = Name(INT, constant=value)
                value += 1
                if not self.accept(","):
                    break
            self.expect("}")
        return INT

    def complete(self, ctype: CType, token: Token) -> None:
        """CompileError unless objects of this type have a size."""
        inner = ctype
        while inner.kind == "array" and inner.target is not None:
            inner = inner.target
        if isinstance(inner, Record) and not inner.fields.complete:
            raise CompileError(f"'{token.text}' has incomplete type 'struct {inner.fields.tag}'", token.where)
        if ctype.kind == "void":
            raise CompileError(f"variable or field '{token.text}' declared void", token.where)

    def name_token(self) -> Token:
        """The next token, which must be an identifier."""
        if self.token.kind != "name" or self.token.text in KEYWORDS:
            raise CompileError(f"expected identifier before '{self.token.text}' token", self.token.where)
        return self.advance()

    def declarator(self, base: CType) -> tuple[Token, str, CType]:
        """Read a declarator: the token of its name, the name ("" if abstract) and its type."""
        while self.accept("*"):
            base = pointer_to(base)
            while self.token.text in _QUALIFIERS:
                self.advance()
        if self.at("(") and (self.peek().text in ("*", "(") or self._names_something(self.peek())):
            return self._nested(base)
        token = self.token
        name = ""
        if token.kind == "name" and token.text not in KEYWORDS:
            name = self.advance().text
        return token, name, self._suffixes(base)

    def _names_something(self, token: Token) -> bool:
        if token.kind != "name" or token.text in KEYWORDS:
            return False
        known = self.find(token.text)
        return known is None or not known.is_type

    def _nested(self, base: CType) -> tuple[Token, str, CType]:
        """A declarator in parentheses: what follows them binds to the base first, so it is read twice."""
        self.expect("(")
        begin, depth = self._index, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.token.text, 0)
            if self.token.kind == "end":
                self.expect(")")
            self.advance()
        whole = self._suffixes(base)
        end, self._index = self._index, begin
        result = self.declarator(whole)
        self.expect(")")
        self._index = end
        return result

    def _suffixes(self, base: CType) -> CType:
        if self.accept("("):
            return self._parameters(base)
        if self.at("["):
            opening = self.advance()
            length = -1 if self.at("]") else self.constant_value()
            self.expect("]")
            inner = self._suffixes(base)
            if length > 1 << 22:
                raise CompileError("size of array is too large", opening.where)
            return CType("array", 0, target=inner, length=-1) if length < 0 else array_of(inner, length)
        return base

    def _parameters(self, result: CType) -> CType:
        parameters: list[tuple[str, CType]] = []
        variadic = False
        if self.at("void") and self.peek().text == ")":
            self.advance()
        while not self.at(")"):
            if self.accept("..."):
                variadic = True
                break
            _, name, ctype = self.declarator(self.specifiers().type)
            parameters.append((name, decayed(ctype)))
            if not self.accept(","):
                break
        self.expect(")")
        return CType("function", 8, target=result, parameters=tuple(parameters), variadic=variadic)

    def type_name(self) -> CType:
        """Read a type without a name, as in a cast."""
        return self.declarator(self.specifiers().type)[2]
