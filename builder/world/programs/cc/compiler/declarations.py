"""Reading types: specifiers, declarators, structures and enumerations (ISO C 6.7)."""

from __future__ import annotations

from typing import Final, NamedTuple

from builder.world.programs.cc.compiler.scope import Name
from builder.world.programs.cc.compiler.state import Compilation
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


def at_type(code: Compilation) -> bool:
    """Whether a type comes next."""
    token = code.token
    if token.kind != "name":
        return False
    if token.text in _BASIC or token.text in _QUALIFIERS or token.text in _STORAGE:
        return True
    if token.text in ("struct", "union", "enum"):
        return True
    known = code.find(token.text)
    return known is not None and known.is_type


def specifiers(code: Compilation) -> Specifiers:
    """Read storage class and type; CompileError if no type comes next."""
    storage, words = "", []
    found: CType | None = None
    start = code.token
    while code.token.kind == "name":
        text = code.token.text
        if text in _STORAGE:
            storage = text
        elif text in _BASIC:
            words.append(text)
        elif text in ("struct", "union"):
            code.advance()
            found = _record(code, text)
            continue
        elif text == "enum":
            code.advance()
            found = _enumeration(code)
            continue
        elif text not in _QUALIFIERS:
            known = code.find(text)
            if known is None or not known.is_type or found is not None or words:
                break
            found = known.type
        code.advance()
    if found is None:
        found = _basic(words, start)
    return Specifiers(storage, found)


def _basic(words: list[str], start: Token) -> CType:
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


def _record(code: Compilation, word: str) -> CType:
    tag = code.advance().text if code.token.kind == "name" else f"<anonymous {code.token.where}>"
    record = next((tags[tag] for tags in reversed(code.tags) if tag in tags), None)
    if record is None or (code.at("{") and tag not in code.tags[-1]):
        record = Record("record", fields=Fields(tag))
        code.tags[-1][tag] = record
    if code.at("{"):
        opening = code.advance()
        if record.fields.complete:
            raise CompileError(f"redefinition of '{word} {tag}'", opening.where)
        _members(code, word, record.fields)
    return record


def _members(code: Compilation, word: str, fields: Fields) -> None:
    offset, align = 0, 1
    while not code.accept("}"):
        base = specifiers(code).type
        while not code.at(";"):
            token, name, ctype = declarator(code, base)
            if code.at(":"):
                raise CompileError("not simulated: bit-fields", code.token.where)
            complete(ctype, token)
            align = max(align, ctype.align)
            place = 0 if word == "union" else -(-offset // ctype.align) * ctype.align
            fields.places[name] = (place, ctype)
            offset = max(offset, place + size_of(ctype))
            if not code.accept(","):
                break
        code.expect(";")
    fields.size = -(-offset // align) * align
    fields.complete = True


def _enumeration(code: Compilation) -> CType:
    if code.token.kind == "name":
        code.advance()
    if code.accept("{"):
        value = 0
        while not code.at("}"):
            name = name_token(code)
            if code.accept("="):
                value = code.constant_value()
            code.scopes[-1][name.text] = Name(INT, constant=value)
            value += 1
            if not code.accept(","):
                break
        code.expect("}")
    return INT


def complete(ctype: CType, token: Token) -> None:
    """CompileError unless objects of this type have a size."""
    inner = ctype
    while inner.kind == "array" and inner.target is not None:
        inner = inner.target
    if isinstance(inner, Record) and not inner.fields.complete:
        raise CompileError(f"'{token.text}' has incomplete type 'struct {inner.fields.tag}'", token.where)
    if ctype.kind == "void":
        raise CompileError(f"variable or field '{token.text}' declared void", token.where)


def name_token(code: Compilation) -> Token:
    """The next token, which must be an identifier."""
    if code.token.kind != "name" or code.token.text in KEYWORDS:
        raise CompileError(f"expected identifier before '{code.token.text}' token", code.token.where)
    return code.advance()


def declarator(code: Compilation, base: CType) -> tuple[Token, str, CType]:
    """Read a declarator: the token of its name, the name ("" if abstract) and its type."""
    while code.accept("*"):
        base = pointer_to(base)
        while code.token.text in _QUALIFIERS:
            code.advance()
    if code.at("(") and (code.peek().text in ("*", "(") or _names_something(code, code.peek())):
        return _nested(code, base)
    token = code.token
    name = ""
    if token.kind == "name" and token.text not in KEYWORDS:
        name = code.advance().text
    return token, name, _suffixes(code, base)


def _names_something(code: Compilation, token: Token) -> bool:
    if token.kind != "name" or token.text in KEYWORDS:
        return False
    known = code.find(token.text)
    return known is None or not known.is_type


def _nested(code: Compilation, base: CType) -> tuple[Token, str, CType]:
    """A declarator in parentheses: what follows them binds to the base first, so it is read twice."""
    code.expect("(")
    begin, depth = code.position, 1
    while depth:
        depth += {"(": 1, ")": -1}.get(code.token.text, 0)
        if code.token.kind == "end":
            code.expect(")")
        code.advance()
    whole = _suffixes(code, base)
    end, code.position = code.position, begin
    result = declarator(code, whole)
    code.expect(")")
    code.position = end
    return result


def _suffixes(code: Compilation, base: CType) -> CType:
    if code.accept("("):
        return _parameters(code, base)
    if code.at("["):
        opening = code.advance()
        length = -1 if code.at("]") else code.constant_value()
        code.expect("]")
        inner = _suffixes(code, base)
        if length > 1 << 22:
            raise CompileError("size of array is too large", opening.where)
        return CType("array", 0, target=inner, length=-1) if length < 0 else array_of(inner, length)
    return base


def _parameters(code: Compilation, result: CType) -> CType:
    parameters: list[tuple[str, CType]] = []
    variadic = False
    if code.at("void") and code.peek().text == ")":
        code.advance()
    while not code.at(")"):
        if code.accept("..."):
            variadic = True
            break
        _, name, ctype = declarator(code, specifiers(code).type)
        parameters.append((name, decayed(ctype)))
        if not code.accept(","):
            break
    code.expect(")")
    return CType("function", 8, target=result, parameters=tuple(parameters), variadic=variadic)


def type_name(code: Compilation) -> CType:
    """Read a type without a name, as in a cast."""
    return declarator(code, specifiers(code).type)[2]
