"""The compiler driver, the linker and the loader."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builder.world.machine.objects import (
    Archive,
    Binary,
    ObjectFormatError,
    Unit,
    decode,
    encode_archive,
    encode_object,
    encode_program,
)
from builder.world.programs.cc.compiler.statements import compile_unit
from builder.world.programs.cc.source.preprocessor import Preprocessor
from builder.world.programs.cc.source.tokens import KEYWORDS, CompileError


@pytest.fixture
def gcc(machine):
    """A machine with a compiler, and a way to write sources."""
    here = machine("skillfir/alpine:gcc")

    def write(**files: str):
        for name, text in files.items():
            here.fs.write_bytes(f"/usr/src/{name.replace('__', '.')}", text.encode())
        return here

    return write


HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'


def test_a_source_becomes_a_program(gcc):
    assert gcc(a__c=HELLO).run("cc a.c && ./a.out") == (0, "hello\n")


def test_the_same_source_gives_the_same_bytes(gcc):
    here = gcc(a__c=HELLO)
    here.run("cc -c a.c -o one.o && sleep 1 && cc -c a.c -o two.o")

    assert here.fs.read_bytes("/usr/src/one.o") == here.fs.read_bytes("/usr/src/two.o")


def test_debugging_information_weighs_until_it_is_stripped(gcc):
    here = gcc(a__c=HELLO)
    here.run("cc a.c -o plain && cc -g a.c -o debug && cp debug less && strip less")

    sizes = {name: here.fs.stat(f"/usr/src/{name}").st_size for name in ("plain", "debug", "less")}
    assert sizes["debug"] > sizes["plain"] + 500
    assert abs(sizes["less"] - sizes["plain"]) < 40
    assert here.run("./less") == (0, "hello\n")


def test_a_missing_header_is_a_fatal_error_with_its_line(gcc):
    status, output = gcc(a__c="\n#include <nope.h>\n").run("cc -c a.c")

    assert status == 1
    assert output == "a.c:2:10: fatal error: nope.h: No such file or directory\ncompilation terminated.\n"


def test_an_undefined_reference_names_function_and_symbol(gcc):
    status, output = gcc(a__c="int f(void);\nint main(void) { return f(); }\n").run("cc a.c")

    assert status == 1
    assert "a.c: in function `main':\na.c:(.text): undefined reference to `f'" in output
    assert output.endswith("collect2: error: ld returned 1 exit status\n")


def test_a_missing_library_is_named(gcc):
    status, output = gcc(a__c=HELLO).run("cc a.c -lmissing")

    assert status == 1
    assert "cannot find -lmissing" in output


def test_without_the_c_library_nothing_links(machine):
    here = machine("alpine:3.19")
    here.run("apk add -q --no-cache gcc && apk del -q musl-dev; rm -rf /usr/include/stdio.h /usr/lib/crt1.o")
    here.fs.write_bytes("/a.c", HELLO.encode())

    assert "stdio.h: No such file or directory" in here.run("cc a.c")[1]


def test_an_archive_gives_only_the_members_that_are_needed(gcc):
    here = gcc(
        one__c="int one(void) { return 1; }\n",
        two__c="int missing(void); int two(void) { return missing(); }\n",
        a__c="int one(void); int main(void) { return one() + 4; }\n",
    )

    status, output = here.run("cc -c one.c two.c && ar rcs libn.a one.o two.o && cc a.c -L. -ln -o a && ./a")

    assert (status, output) == (5, "")


def test_the_order_of_libraries_counts(gcc):
    here = gcc(
        one__c="int one(void) { return 1; }\n", a__c="int one(void); int main(void) { return one(); }\n"
    )

    status, output = here.run("cc -c one.c a.c && ar rcs libn.a one.o && cc -L. -ln a.o -o a")

    assert status == 1
    assert "undefined reference to `one'" in output


def test_a_definition_that_exists_twice_is_refused(gcc):
    here = gcc(
        one__c="int f(void) { return 1; }\n",
        a__c="int f(void) { return 2; }\nint main(void) { return f(); }\n",
    )

    assert "multiple definition of `f'" in here.run("cc a.c one.c")[1]


def test_static_functions_of_two_files_do_not_meet(gcc):
    here = gcc(
        one__c="static int f(void) { return 1; }\nint one(void) { return f(); }\n",
        a__c="static int f(void) { return 20; }\nint one(void);\nint main(void) { return f() + one(); }\n",
    )
    here.run("mkdir d && cp one.c d/a.c")

    assert here.run("cc -c d/a.c -o one.o && cc a.c one.o -o a && ./a")[0] == 21


def test_a_shared_library_is_found_by_path_or_by_environment(gcc):
    here = gcc(n__c="int n(void) { return 3; }\n", a__c="int n(void);\nint main(void) { return n(); }\n")
    here.run("cc -shared -fPIC -Wl,-soname,libn.so.1 n.c -o libn.so.1 && ln -s libn.so.1 libn.so")

    here.run("cc a.c -L. -ln -o plain && cc a.c -L. -ln -Wl,-rpath,'$ORIGIN' -o pathed")

    assert here.run("./plain")[0] == 127
    assert here.run("LD_LIBRARY_PATH=/usr/src ./plain")[0] == 3
    assert here.run("./pathed")[0] == 3
    assert here.run("cp libn.so.1 /usr/lib/ && ./plain")[0] == 3


def test_glibc_finds_libraries_in_local_directories_after_ldconfig(machine):
    here = machine("gcc:12")
    here.fs.write_bytes("/n.c", b"int n(void) { return 3; }\n")
    here.fs.write_bytes("/a.c", b"int n(void);\nint main(void) { return n(); }\n")
    here.run("cc -shared n.c -Wl,-soname,libn.so.1 -o /usr/local/lib/libn.so.1")
    here.run("ln -s libn.so.1 /usr/local/lib/libn.so && cc a.c -ln -o a")

    status, output = here.run("./a")
    assert status == 127
    assert "error while loading shared libraries: libn.so.1: cannot open shared object file" in output
    assert (
        here.run("ldd a")[1] == "\tlibn.so.1 => not found\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6\n"
    )

    here.run("ldconfig")
    assert here.run("./a")[0] == 3


def test_a_static_program_runs_on_an_empty_root(gcc, machine):
    here = gcc(a__c=HELLO)
    here.run("cc -static a.c -o a")
    from builder.world.world import Job
    from unionfs_sim import Layer

    empty = Layer()
    empty.write_bytes("/a", here.fs.read_bytes("/usr/src/a"), 0o755)
    printed: list[bytes] = []

    assert here.world().run(empty, Job(argv=("/a",)), printed.append) == 0
    assert printed == [b"hello\n"]


def test_dependencies_are_written_for_make(gcc):
    here = gcc(a__c='#include "b.h"\nint main(void) { return B; }\n', b__h="#define B 7\n")

    here.run("cc -MMD -c a.c")

    assert here.fs.read_bytes("/usr/src/a.d") == b"a.o: a.c b.h\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("cc", "cc: fatal error: no input files"),
        ("cc --frobnicate a.c", "unrecognized command-line option '--frobnicate'"),
        ("cc -S a.c", "not simulated: -S"),
        ("cc a.cpp", "not simulated: compiling .cpp files"),
        ("cc missing.c", "missing.c: No such file or directory"),
        ("cc missing.o", "cannot find missing.o: No such file or directory"),
        ("cc -c a.c -o", "missing argument to '-o'"),
        ("ld a.o", "not simulated: calling the linker itself"),
        ("g++ a.c", "not simulated: a real build can run it"),
    ],
)
def test_what_cannot_be_done_is_said(gcc, words, message):
    status, output = gcc(a__c=HELLO).run(words)

    assert status != 0
    assert message in output


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("double d = 1.5;", "not simulated: floating point"),
        ("int x = 1.5;", "not simulated: numbers with a fraction"),
        ("goto end; end: return 0;", "not simulated: goto"),
        ("struct { int a : 3; } s;", "not simulated: bit-fields"),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(gcc, body, message):
    status, output = gcc(a__c=f"int main(void) {{ {body} return 0; }}\n").run("cc a.c")

    assert status == 1
    assert "a.c:1:" in output
    assert message in output


def test_warnings_are_errors_when_asked(gcc):
    here = gcc(a__c="int main(void) { undeclared(); return 0; }\nint undeclared(void) { return 0; }\n")

    assert here.run("cc a.c")[0] == 0
    assert here.run("cc -Werror a.c")[0] == 1


def test_a_loop_without_end_is_stopped(gcc):
    here = gcc(a__c="int main(void) { for (;;) ; return 0; }\n")
    here.run("cc a.c")
    import builder.world.programs.cc.machine as machine_module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine_module, "STEP_LIMIT", 10_000)
        status, output = here.run("./a.out")

    assert status == 137
    assert "not simulated" in output


def test_endless_recursion_is_a_fault(gcc):
    here = gcc(a__c="int f(int n) { return f(n + 1) + 1; }\nint main(void) { return f(0); }\n")

    assert here.run("cc a.c && ./a.out")[0] == 139


def test_too_much_memory_is_refused(gcc):
    body = "char *p = 0; for (;;) { p = malloc(1000000); p[0] = 1; } return 0;"

    assert gcc(a__c=f"#include <stdlib.h>\nint main(void) {{ {body} }}\n").run("cc a.c && ./a.out")[0] == 137


NAMES = st.text("abc_", min_size=1, max_size=4)
UNITS = st.builds(Unit, NAMES, st.text(max_size=40), st.tuples(NAMES), st.tuples(NAMES), st.integers(0, 50))
BINARIES = st.builds(
    Binary, st.lists(UNITS, max_size=3).map(tuple), st.tuples(NAMES), st.none(), st.tuples(NAMES)
)


@given(BINARIES)
def test_objects_and_programs_are_read_as_they_were_written(binary):
    assert decode(encode_object(binary)) == binary
    assert decode(encode_program(binary)) == binary


@given(st.dictionaries(NAMES, BINARIES, max_size=3))
def test_archives_are_read_as_they_were_written(members):
    assert decode(encode_archive(Archive(members))) == Archive(members)


@given(st.sampled_from([b"\x7fOBJ\n", b"!<arch>\n", b"\x7fSIM compiled\n", b""]), st.binary(max_size=60))
@example(b"\x7fOBJ\n", b'{"units":[{}]}')
@example(b"\x7fOBJ\n", b'{"needed":"text"}')
@example(b"\x7fOBJ\n", b'{"padding":"x"}')
@example(b"\x7fOBJ\n", b"[" * 100_000)
def test_bytes_that_are_no_object_are_refused_or_read(magic, rest):
    try:
        decode(magic + rest)
    except ObjectFormatError:
        return


WORDS = [
    *"(){}[];,=+-*/%&|!~<>.?:#\n",
    "==",
    "->",
    "...",
    "++",
    "--",
    "<<",
    "0",
    "1",
    "07",
    "'a'",
    '"t"',
    "x",
    "y",
    "main",
]
WORDS += [*sorted(KEYWORDS), "main", "__LINE__", "__FILE__", "NULL"]


@given(st.lists(st.sampled_from(WORDS), max_size=40))
@example(["int", "x", "["] + ["("] * 3000)
@example(["{"] * 3000)
@example(["int", "main", "(", ")", "{"] + ["("] * 500)
@example(["int", "main", "(", ")", "{", "return"] + ["!"] * 5000)
@example(["int", "main", "(", ")", "{"] + ["{"] * 5000)
def test_any_tokens_are_compiled_or_refused(words):
    try:
        compile_unit(" ".join(words), "t.c")
    except CompileError:
        return


@given(
    st.lists(
        st.sampled_from(
            [*WORDS, "#if", "#define", "#include", "#endif", "#else", "\\\n", "/*", "*/", "//", "##"]
        ),
        max_size=30,
    )
)
@example(["#define x x x x x x x x\n", "x"])
@example(
    [
        "#define a b b b b b b b b\n#define b c c c c c c c c\n#define c d d d d d d d d\n"
        "#define d e e e e e e e e\n#define e f f f f f f f f\na"
    ]
)
@example(["#if " + "(" * 5000 + "\n"])
@example(["#if 1/0\n#endif\n"])
@example(["#if 99999999999999999999 << 1\n#endif\n"])
@example(['#include "t.c"\n'])
def test_any_text_is_preprocessed_or_refused(words):
    text = " ".join(words)
    try:
        Preprocessor(lambda path: text if path == "t.c" else None, (), {}).run("t.c")
    except CompileError:
        return


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("+", 20_000 % 256), ("&&", 1), (",", 1), ("==", 1), ("^", 0)],
)
def test_an_expression_of_twenty_thousand_terms_is_worked_off(gcc, operator: str, expected: int):
    sum_ = operator.join(["x"] * 20_000)
    here = gcc(a__c=f"int main(void) {{ int x = 1; return (int)({sum_}) & 255; }}\n")

    assert here.run("cc a.c && ./a.out") == (expected, "")


def test_two_expressions_that_begin_alike_are_two(gcc):
    text = "int main(void) { int x = 5; x += 1 + x + 2; x -= x - 1 - 1; return x * 1 * 1 + x; }\n"

    assert gcc(a__c=text).run("cc a.c && ./a.out") == (4, "")


def test_parentheses_that_nest_too_deeply_are_refused_by_name(gcc):
    text = f"int main(void) {{ return {'(' * 5000}1{')' * 5000}; }}\n"

    status, said = gcc(a__c=text).run("cc a.c")
    assert status == 1
    assert "not simulated: expressions nested this deep" in said
