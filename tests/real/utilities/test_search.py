"""grep, find and xargs beside busybox."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "a": "apple\nBanana\ncherry pie\n\nfoo bar\nfoobar\nfoo-bar\n1.5\na.b\naXb\n",
    "b": "banana\nfoo\n[x]\n(y)\na+b\na{2}\naa\nab|c\n^start$\n",
    "c": "".join(f"line {i}\n" for i in range(1, 21)),
    "e": "",
    "noeol": "one\ntwo foo",
    "nul": b"x\0foo\0y\n",
    "pats": "apple\nfoo\n",
    "d/": None,
    "d/x": "foo in x\n",
    "l": "-> a",
}

GREPS = """
apple a|foo a b|-n foo a b|-i banana a b|-v foo a|-c foo a b|-l foo a b e|-L foo a b e|-o foo a b|-on 'o*' b|-q foo a|-q nope a|foo nope a|-s foo nope a|-w foo a|-x foo b|-F a.b a|a.b a
-E 'foo|apple' a|'foo\\|apple' a|-e apple -e foo a|-f pats a|-A1 'line 5' c|-B2 'line 10' c|-C 1 'line 1$' c|-A 1 'line [37]$' c|-n -A1 line.3 c|-m 2 line c|-m 2 -A 1 line c|-h foo a b|-H foo a
-r foo d|-R foo d|'^$' a|'^' e|'' a|-v '' a|-c '' e|'a\\{2\\}' b|-E 'a{2}' b|'a+b' b|-E 'a\\+b' b|'[[]' b|'\\[x\\]' b|'[]x]' b|-E '(y)' b|'(y)' b|'^start' b|'\\^start' b|-E '\\^start\\$' b
-E 'a|' b|-E '*a' b|'*a' b|-E 'a**' b|-E '(' b|'\\(' b|'[' a|-E ')' b|'a\\{1' b|-E 'a{1' b|'\\(a\\)\\1' b|-E '(.)\\1' a|'\\<foo\\>' a|'\\bfoo' a|'[[:digit:]]' a|'[[:foo:]]' a|'\\w\\+' b|-E '^.{3}$' a b
-z foo nul|-c -v foo a|-lv foo a|-nv foo a|-ow 'foo' a|-iE 'BANANA|APPLE' a|-w 'foo bar' a|-wo '[a-z]*' a|-E 'x?' b|foo d|foo|-Z foo a|-m x foo a|-L foo a|--nope foo a|-y BANANA a
foo l|-r foo l|foo noeol|-c foo a b noeol e|-hn foo a b|-c -m1 foo a|-e foo -f pats a|-f nope a|-E '[0-9]+\\.[0-9]' a|-E '^(a|b)' a b|'[^a-z]' b|'[a-' b|'[z-a]' b|-x -F 1.5 a|-xv foo b|-E '(foo|bar)+' -o a|-ni 'b' b|-on '^f' a
-E 'fo{1,2}' -o a|-E 'fo{,1}' -o a|-Eo '[[:alpha:]]+' a|-e '' a|-E '()' b|-E 'a|b|c' -c c|'.*' -o a|-L nope a b|-q foo nope a|-o 'a\\?' b|-A1 -B1 -m1 'line 5' c|-C1 -n 'foo' a b|-b foo a
""".replace("\n", "|").strip("|")


def test_grep(same, case):
    same(FILES, [f"grep {words.replace('¦', '|')}" for words in GREPS.replace("'foo|apple'", "'foo¦apple'").replace("\\|", "\\¦").replace("'a|'", "'a¦'").replace("'BANANA|APPLE'", "'BANANA¦APPLE'").replace("(a|b)", "(a¦b)").replace("(foo|bar)", "(foo¦bar)").replace("'a|b|c'", "'a¦b¦c'").split("|")])
    same(FILES, [case("grep foo", stdin=b"foo\nbar\n"), case("grep -H foo", stdin=b"foo\n"), case("grep foo - a", stdin=b"foo\n"), case("grep -l foo", stdin=b"foo\n"), case("grep -c foo -", stdin=b"foo\n")], least=5)


def test_egrep_and_fgrep(same):
    same(FILES, ["egrep 'foo|apple' a", "egrep -c 'o+' a b", "egrep '^(a|f)' a", "egrep -v '.' a", "egrep 'a{2}' b", "egrep '(' a", "egrep -o '[0-9]+' a", "egrep -i BANANA a", "egrep -F a.b a", "egrep -n . b"])
    same(FILES, ["fgrep a.b a", "fgrep '*' a", "fgrep -x foo b", "fgrep -c foo a b", "fgrep '[x]' b", "fgrep -e apple -e foo a", "fgrep -f pats a", "fgrep '^start$' b", "fgrep -w foo a", "fgrep -i BANANA a", "fgrep -c . a b"])
