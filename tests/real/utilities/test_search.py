"""grep, find and xargs beside busybox."""

# ruff: noqa: E501 -- a case is one line of a table

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
    same(
        FILES,
        [
            f"grep {words.replace('¦', '|')}"
            for words in GREPS.replace("'foo|apple'", "'foo¦apple'")
            .replace("\\|", "\\¦")
            .replace("'a|'", "'a¦'")
            .replace("'BANANA|APPLE'", "'BANANA¦APPLE'")
            .replace("(a|b)", "(a¦b)")
            .replace("(foo|bar)", "(foo¦bar)")
            .replace("'a|b|c'", "'a¦b¦c'")
            .split("|")
        ],
    )
    same(
        FILES,
        [
            case("grep foo", stdin=b"foo\nbar\n"),
            case("grep -H foo", stdin=b"foo\n"),
            case("grep foo - a", stdin=b"foo\n"),
            case("grep -l foo", stdin=b"foo\n"),
            case("grep -c foo -", stdin=b"foo\n"),
        ],
        least=5,
    )


def test_egrep_and_fgrep(same):
    same(
        FILES,
        [
            "egrep 'foo|apple' a",
            "egrep -c 'o+' a b",
            "egrep '^(a|f)' a",
            "egrep -v '.' a",
            "egrep 'a{2}' b",
            "egrep '(' a",
            "egrep -o '[0-9]+' a",
            "egrep -i BANANA a",
            "egrep -F a.b a",
            "egrep -n . b",
        ],
    )
    same(
        FILES,
        [
            "fgrep a.b a",
            "fgrep '*' a",
            "fgrep -x foo b",
            "fgrep -c foo a b",
            "fgrep '[x]' b",
            "fgrep -e apple -e foo a",
            "fgrep -f pats a",
            "fgrep '^start$' b",
            "fgrep -w foo a",
            "fgrep -i BANANA a",
            "fgrep -c . a b",
        ],
    )


TREE = {
    "a/": None,
    "a/f": ("text\n", 0o644),
    "a/b/": 0o700,
    "a/b/g": ("", 0o600),
    "a/b/h.c": ("int\n", 0o755),
    "c/": None,
    "c/H.C": "x" * 2000,
    "c/link": "-> ../a",
    "c/own": ("o", 0o640, 1000, 50),
    "c/p": "|",
    "c/hard": "= a/f",
    "dang": "-> nowhere",
    "sp ace": "s",
    "list": "a/f c/own\n'sp ace' \"q  q\" back\\ slash\nlast\n",
}

FINDS = """
find|find .|find a c|find a/|find nope|find a nope|find . -name f|find . -name '*.c'|find . -iname '*.c'|find . -name '*.C' -o -name g|find . -type f|find . -type d|find . -type l|find . -type p|find . -type q|find . -path './a/*'|find . -ipath './A/*'
find . -regex '.*/[fg]'|find . -maxdepth 1|find . -mindepth 2|find . -maxdepth 1 -mindepth 1 -type d|find . -maxdepth 0|find a -depth|find . ! -type f|find . -not -name '*c*'|find . ( -name f -o -name g ) -print|find . ( -name f|find . -name f )|find . -name|find . -bogus
find . -perm 644|find . -perm -600|find . -perm +111|find . -perm -u+x|find . -perm zz|find . -size 0|find . -size +1|find . -size -2|find . -size 2000c|find . -size +1k|find . -size 4b|find . -size 5q|find . -links 2|find . -links +1|find . -empty|find . -user app|find . -user 1000|find . -user nosuch|find . -group staff|find . -group nosuch
find . -name a -prune -o -print|find . -path ./a/b -prune -o -type f -print|find -L . -type f|find -L c/link|find -H c/link|find c/link|find . -follow -type d|find . -newer a/f|find . -samefile a/f|find . -executable -type f|find . -mtime +100|find . -mtime -1|find . -mmin -5|find . -mtime +x|find . -newer nope
find . -exec echo {} ;|find . -type f -exec echo x{}y {} ;|find c/own -exec echo {} +|find . -exec|find . -name f -exec false ; -print|find . -name f -exec true ; -print|find . -name f -exec nosuch {} ;|find a -type f -exec cat {} +|find . -name f -print -print|find a/f -print0|find . -name f -quit|find . -type f -name f -exec rm {} ;|find . -type f -exec chmod 600 {} +
find . -name '[a-f]'|find . -name '?'|find . -name '\\*'|find . -type f -a -name f|find . -name f -o -name g -a -type d|find a -name f -o -print|find . -xdev -name f|find . -path '*b*'|find . -type f ! -name '*.c' ! -name f|find . -name .|find a/ -name a|find a/ -name 'f'|find ./a -maxdepth 1|find ! -type d|find a ! -type d -print|find . -name 'sp ace'|find list -size -1000c|find a -exec rm -r {} ;|find . -type f -exec sh ;|find . -inum 0
""".strip().replace("\n", "|")


def test_find(same, case):
    same(
        TREE,
        [
            case(command, sorted=True)
            for command in FINDS.replace(" ;", " ';'").split("|")
            if command != "find . -type f -exec sh ';'"
        ],
    )
    same(
        TREE,
        [
            case(f"find {words}", sorted=True, uid=1000)
            for words in ("a", "a -type f", ". -executable -type f", "a/b", "a -exec ls -d {} +")
        ],
        least=5,
    )


def test_xargs(same, case):
    text = TREE["list"].encode()
    same(
        TREE,
        [
            case(f"xargs {words}", stdin=text)
            for words in (
                "", "echo", "-n 1 echo", "-n 2 echo x", "-I{} echo [{}]", "-I X echo X-X", "-t echo", "-0 echo", "-r echo", "-E last echo", "-elast echo", "-n x echo", "-n 0 echo", "-s 20 echo", "-s 5 echo", "nosuch", "false", "true", "-a list echo", "-a nope echo", "-P 2 -n 1 true", "-x echo", "-Z", "rm -f", "printf '<%s>'", "-n1 printf '%s;'", "-L", "-n 1 test -e",
            )
        ]
        + [
            case("xargs echo", stdin=b""), case("xargs -r echo", stdin=b""), case("xargs echo", stdin=b" \n \n"), case("xargs echo", stdin=b"a 'b"), case("xargs -0 -n1 echo", stdin=b"a b\0c\nd\0"), case("xargs -0", stdin=b"x\0"), case("xargs echo", stdin=b"a\\\nb c"),
            case("xargs -I% echo %", stdin=b"  lead\n\nx  y\n'q r'\n"), case("xargs", stdin=b"a 'b c' \"d'e\" f\\'g"), case("xargs -n 3", stdin=b"1 2 3 4 5 6 7"), case("find a -type f -name f | xargs cat"), case("find . -name 'sp*' -print0 | xargs -0 cat"), case("xargs -t -n1 echo", stdin=b"a b"), case("xargs -I{} cp {} {}.bak", stdin=b"a/f\n"),
        ],
    )  # fmt: skip
