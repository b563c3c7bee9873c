"""Any text is a configuration, or an error with a place; never anything else."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from builder.world.programs.web.conf import ConfigError, parse, parse_text
from unionfs_sim import layer

PIECES = [
    "events", "http", "server", "location", "listen", "80", "root", "/x", "{", "}", ";", " ", "\n", "'",
    '"', "\\",
    "#",
    "include", "a*", "/c", "$uri", "${uri}", "types", "text/html", "return", "404",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example("http{" + "server{" * 5000)
@example("http {" * 200)
@example("include /c;")
@example("include /*;")
@example('events { "unfinished')
@example("\udcff;")
def test_any_text_is_read_or_refused(text):
    fs = layer({"/c": text.encode("utf-8", "surrogateescape")})
    for read in (lambda: parse(fs, "/c", "/"), lambda: parse_text(fs, text, "/", "command line")):
        try:
            read()
        except ConfigError as error:
            assert str(error)


def test_words_may_be_quoted_and_escaped():
    (directive,) = parse_text(layer({}), 'user \'a b\' "c\\"d";', "/", "-")

    assert directive.arguments == ("a b", 'c"d')
