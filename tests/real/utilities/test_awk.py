"""awk beside busybox."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "t": "alice 30 paris\nbob 25 rome\ncarol 35 paris\ndave 4 oslo\n",
    "p": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:App:/home/app:/bin/sh\nx::5\n",
    "n": "10\n9\n-1\n1.5\n1e2\nabc\n\n 7 \n",
    "para": "a b\nc\n\n\nd e\nf\n",
    "prog.awk": "# comment\nfunction f(x) { return x * 2 }\n{ print f($2) }\n",
    "csv": "a,b;c\n1,2;3\n",
    "e": "",
}

PROGRAMS = [
    "{print $1}", "{print $NF}", "{print NR, $0}", "{print $2 + 1}", "NR==2", "/paris/", "!/paris/", "/bob/,/carol/", "$2 > 26", "$3 == \"paris\" {print $1}", "{s += $2} END {print s, s/NR}", "BEGIN {print 1+2*3, 7%3, -3, !0, 1/4}", "BEGIN {print 1e6, 1000000, 0.1, 1e300, 123456789, 3.0, 1/3}",
    "BEGIN {print length(\"abc\"), length()} END {print length}", "{print length($1), toupper($1)}", "{print substr($1, 2), substr($1, 2, 2), substr($1, 1, 0), substr($1, 10)}", "{print index($0, \"a\")}", "BEGIN {n = split(\"a b  c\", x); print n, x[1], x[3]}", "BEGIN {n = split(\"a:b:c\", x, \":\"); print n, x[2]}", "BEGIN {n = split(\"abc\", x, \"\"); print n, x[2]}", "BEGIN {n = split(\"a1b22c\", x, /[0-9]+/); print n, x[3]}",
    "{sub(/a/, \"<&>\"); print}", "{n = gsub(/a/, \"<&>\"); print n, $0}", "{gsub(/a/, \"\\\\&\"); print}", "{gsub(\"o\", \"0\", $1); print}", "{print match($0, /[0-9]+/), RSTART, RLENGTH}", "{printf \"%s is %d (%5.2f)\\n\", $1, $2, $2}", "BEGIN {printf \"%c%c %x %o %e %%\\n\", 65, \"hello\", 255, 8, 1234.5}", "BEGIN {printf \"%5s|%-5s|%05d|%+d\\n\", \"ab\", \"cd\", 42, 7}",
    "{a[$3]++} END {print a[\"paris\"], a[\"rome\"], length(a)}", "{a[NR] = $1} END {for (i = NR; i > 0; i--) print a[i]}", "BEGIN {a[1,2] = 3; for (k in a) {split(k, p, SUBSEP); print p[1], p[2]}}", "BEGIN {a[\"x\"]; print (\"x\" in a), (\"y\" in a), ((1,2) in a)}", "BEGIN {a[1]; a[2]; delete a[1]; print length(a); delete a; print length(a)}",
    "{$2 = \"X\"; print}", "{$5 = \"new\"; print; print NF}", "{NF = 2; print}", "BEGIN {OFS = \"-\"} {$1 = $1; print}", "BEGIN {ORS = \"|\"} {print $1}", "{print $1, $2 > \"out\"}", "{print $1 >> \"out\"; print > \"two\"}", "BEGIN {while ((getline line < \"t\") > 0) print \"got\", line}", "NR == 1 {getline; print} NR > 2 {getline x; print x}", "BEGIN {print getline < \"nope\"}",
    "{if ($2 > 26) print $1, \"old\"; else print $1, \"young\"}", "BEGIN {i = 0; while (i < 3) {print i; i++}}", "BEGIN {do {print i; i++} while (i < 2)}", "BEGIN {for (;;) {if (++i > 3) break; if (i == 2) continue; print i}}", "NR == 2 {next} {print}", "NR == 2 {exit 3} {print} END {print \"end\"}", "BEGIN {exit} END {print \"end\"}", "END {print NR, $0}", "{print NR % 2 ? \"odd\" : \"even\"}",
    "function f(n) {return n <= 1 ? 1 : n * f(n - 1)} BEGIN {print f(10)}", "function g(a) {a[\"k\"] = 5} BEGIN {g(x); print x[\"k\"]}", "function h(a, b) {b = a; a = 2; return b} BEGIN {y = 1; print h(y), y}", "BEGIN {x = \"3x\"; print x + 1, x \"\" 1, -x, +x}", "BEGIN {print 1 == 1.0, \"1\" == 1, \"a\" < \"b\", 10 < 9, \"10\" < \"9\"}", "$1 < $2 {print $1}", "BEGIN {print 1 \" \" 2 + 3 \" \" 4}", "BEGIN {print -1 \" \" -1}", "BEGIN {x = 5; x += 2; x *= 3; x -= 1; x /= 4; x %= 3; print x}", "BEGIN {print i++, i, ++i, i--, i}",
    "BEGIN {print length(12345), substr(12345, 2, 3), 1 2}", "BEGIN {print toupper(\"aB1\") tolower(\"aB1\")}", "BEGIN {print int(3.9), int(-3.9), int(\"4x\")}", "BEGIN {print substr(\"hello\", 2, 100), index(\"abc\", \"\")}", "BEGIN { print \"a\" > \"/dev/stdout\" }", "$1 ~ /^a/ || $3 ~ \"om\" {print}", "$1 !~ /a/", "{print ($2 > 26)}", "BEGIN {print \"x\", \"y\"; print(\"x\", \"y\"); print(1)(2)}", "{ x = x $1 } END { print x }", "BEGIN { if (!(3 in a)) print \"no\"; if (1) ; else print 2 }", "BEGIN { a[\"b\"] = 1; for (k in a) delete a[k]; for (k in a) print k }",
    "BEGIN {print 1,\n2}", "BEGIN { x = 1; \\\n y = 2; print x + y }", "# only a comment", "", "BEGIN { print 0x10, 1e3x }", "BEGIN { print 1/0 }", "BEGIN { print f(1) }", "{print $(1+1), $NF-1, $(NF-1)}", "{print $1$2, $1 $2}", "BEGIN { $0 = \"a b c\"; print NF, $2 }", "BEGIN { $3 = \"c\"; print NF, $0 }", "NR==1,NR==2 {print NR}", "BEGIN{printf \"%s\\n\", 0.1 + 0.2; print 0.1 + 0.2; print 100000 * 100000}", "BEGIN{CONVFMT=\"%.2g\"; a = 3.14159; print (a \"\"); OFMT=\"%.3f\"; print a}", "BEGIN{print length(x), x + 0, \"[\" x \"]\"}", "/a/ && /i/", "/a/ {n++} END {print n + 0}", "{ print; print \"\" }", "END { print FILENAME, FNR }", "BEGIN { printf \"no newline\" }", "BEGIN { getline; print \"first:\", $0 } { print }", "BEGIN { while (i++ < 3) ; print i }", "{ $0 = toupper($0); print $1 }", "{ $3 = \"\"; print; print NF }", "BEGIN { print !x, !\"a\", !\"\", !0, !\"0\" }", "{ print > $1 \".txt\" }", "BEGIN {print index(\"foobar\", \"bar\") ; print match(\"foobar\", \"o+\"), RSTART, RLENGTH}", "BEGIN { print \"a\\tb\\\"c\\\\d\\/e\\101\" }", "BEGIN { s = \"aaa\"; print gsub(/x*/, \"-\", s), s }", "BEGIN { s = \"hello\"; gsub(/l/, \"[&]\", s); print s }", "BEGIN { print \"foobar\" ~ \"foo|foobar\", match(\"foobar\", /foo|foobar/), RLENGTH }", "{", "BEGIN { print ( }", "BEGIN { @ }", "BEGIN { print \"unterminated }",
]  # fmt: skip

WRONG = ["BEGIN { print 1/0 }", "BEGIN { print f(1) }", "BEGIN { @ }", 'BEGIN { print "unterminated }']
"""busybox says in which line; here it is not known any more when the program runs."""

OPTIONS = [
    "-F: '{print $1}' p", "-F : '{print $NF}' p", "-F '[,;]' '{print $2}' csv", "-F, '{print $2}' csv", "-v x=5 '{print x + $2}' t", "-v 'x=a\\tb' 'BEGIN {print x}'", "-f prog.awk t", "-F: -v OFS=- '{print $1, $3}' p", "-f nope t", "'{print FILENAME, FNR, NR}' t csv", "'{print x}' x=1 t x=2 t", "'{print}' nope t", "'BEGIN {RS = \"\"} {print NR \": \" $1 \"-\" NF}' para", "'BEGIN {RS = \";\"} {print}' csv", "'BEGIN {RS = \"[,;]\"} {print}' csv", "'BEGIN {FS = \":\"} {print $2}' p", "'BEGIN {print ARGC, ARGV[0], ARGV[1]}' a b", "'{print $1 + 0}' n", "'$1 > 5' n", "'$1' n", "'NF' n", "'{ print ($1 == 7) }' n", "'END {print NR}' e", "'BEGIN {FS = \"\"} {print $2}' csv", "-F '\\t' '{print $1}' t", "-F '|' '{print $1}' t", "-F . '{print $1}' n", "-F '\\|' '{print $1}' t", "-Ft '{print $1}' t", "", "-Q", "'BEGIN {print ENVIRON[\"HOME\"]}'", "-- '{print $2}' t", "-F: '$3 >= 1000 {print $1}' p", "'!seen[$3]++' t", "'{a[$3] = a[$3] \" \" $1} END {print a[\"paris\"]}' t", "'NR > 1 {print prev} {prev = $0}' t", "-v n=2 'NR == n' t", "'{ nextfile } END { print NR }' t t", "'BEGIN {srand(1); x = rand(); print (x >= 0 && x < 1), srand()}'",
]  # fmt: skip


def quoted(text):
    return "'" + text.replace("'", "") + "'"


def test_awk(same, case):
    same(
        FILES,
        [case(f"awk {quoted(program)} t", stdin=b"", stderr=program not in WRONG) for program in PROGRAMS],
    )


def test_awk_options(same, case):
    same(
        FILES,
        [f"awk {words}".rstrip() for words in OPTIONS]
        + [
            case("awk '{print $2}'", stdin=b"a b\nc d"),
            case("awk '{print}' - t", stdin=b"in\n"),
            case("awk 'BEGIN {getline x; print x} {print}'", stdin=b"1\n2\n"),
        ],
    )
