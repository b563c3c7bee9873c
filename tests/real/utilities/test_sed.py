"""sed beside busybox."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "n": "1\n2\n3\n4\n5\n",
    "w": "hello world\nfoo bar baz\n\n  indented\na/b/c\nend",
    "conf": '#comment\nport=80\nserver {\n  listen 80;\n  root /var/www;\n}\n# listen 443\nname = "x"\n',
    "script": "s/1/one/\n3d\n$a\\\nlast\n",
    "x": ("a\n", 0o755),
    "own": ("a\nb\n", 0o640, 1000, 1000),
    "e": "",
    "l": "-> n",
    "d/": None,
}

SCRIPTS = [
    "-n 2p", "2q", "-n '$='", "'2i\\\nfoo'", "'2i foo'", "'2a\\  foo'", "'2c x'", "'2,3c x'", "'$!d'", "'2,+1d'", "y/123/abc/", "'s/1/a\\nb/'", "'2r x'", "'w out'", "-n '/2/{p;p}'", "'/2/{p'", "k",
    "'2{s/2/x/;b end;};s/$/!/;:end'", "-e '2{p' -e '}'", "s/a/b", "'b nope'", "'5!N;P;D'", "'2n;d'", "3,1p", "-n /2/,/4/p", "-n /2/,3p", "-n /4/,3p", "'$!N;s/\\n/-/'", "-n 'H;${x;p}'", "'1!G;h;$!d'",
    "'s/1/x/w out2'", "'s/[0-9]/<&>/2'", "-n '2,4!p'", "'2!{d}'", "-n '2{p}'", "''", "'2,$!d;='", "'$a end'", "'s/\\(.\\)/\\1\\1/g'", "-E 's/(.)/\\1\\1/g'", "'s/x*/-/g'", "s,1,/,", "'\\,1,d'", "'s/1/a/;s//b/'", "'s/./&&/p'", "-n 's/./&&/gpw out3'",
    "s/5/x/I", "'2d # comment'", "'# c\n3d'", "'y/1\\/2/a\\/b/'", "'a\\\nl1\\\nl2'", "'1a a\\nb'", "'1a\\ttab'", "'1i\\  lead'", "'$!{$!N};P;D'", "'T;d'", "'s/1/x/;T;s/$/y/'", "'s/1/x/;tq;s/$/z/;:q'", "-f script", "-n -e p -f script", "-f nope", "2", "2,d", "'2;d'",
    "'s/1/\\t|/'", "'s/a/b/k'", "'/[/]/d'", "'s/[/]/x/'", "'s|[|]|x|'", "'$d;$!s/^/> /'", "'s/.*/\"&\"/'", "'s/\\//|/'", "'1,3{/2/d;s/^/x/}'", "'/3/q'", "'1d;n;d'", "'N;N;s/\\n/,/g'", "'$!N;$!D'", "':a;N;$!ba;s/\\n/ /g'", "'x;p;x'", "-n '$!{h;d};H;x;p'", "'g'", "'G'", "'1h;2,$H;$!d;x'",
    "'s/[^1]/N/'", "'/^$/d'", "'s/^[ \t]*//'", "-E 's/(a|b)+/X/g'", "'i\\'", "'s/\\(/x/'", "'1!d;s/1/&&/3'", "'s/2/a\\\nb/'", "'2,4{=}'", "-n '/1/,/nope/p'", "'2,2p'", "'0,3d'", "'2r nope'", "'r x'", "'$r x'", "'1{;p;}'", "'1 !p'", "-r 's/^(.)$/[\\1]/'", "'s/1/2/;ta;s/2/3/;:a'", "'/2/!s/$/x/;/2/s/$/y/'", "'P;d'", "'D'", "'N;P;D'", "'2,4y/234/xyz/'", "'1,2!d'", "'s/\\n/x/'", "--nope p", "-Z p", "", "'$=;d'", "'$!d;='", "'1p;1p;1d'", "'2{h;d};${G}'", "'1x;2x'", "'/1/a one' -e p", "-n -e p -e p", "'1c\\\nfoo\\\nbar'", "'$!c x'", "'1s/1/\\&/'", "'s/1/a&b\\&c/'",
]  # fmt: skip
OTHERS = [
    "'s/o/0/g' w", "'s/o/0/2' w", "-n '$p' w n", "'$!d' w", "'$a x' w", "'$p' w", "'s/\\bb/B/g' w", "'s/a\\/b/x/' w", "'s#/#|#g' w", "'/^ /s/^ *//' w", "'s/[[:space:]]\\+/ /g' w", "'s/\\s\\+$//;s/\\w\\+/W/' w", "-E 's/(\\w+) (\\w+)/\\2 \\1/' w", "'s/b*/-/g' w",
    "'s/80/8080/' conf", "'s/^#\\(.*\\)/\\1/' conf", "'/server/,/}/s/^/# /' conf", "'/listen/d' conf", "'s/listen 80/listen 8080/;s|/var/www|/srv|' conf", "'/root/a\\    index index.html;' conf", "'/^#/!d' conf", "'/}/i\\\n  extra;' conf", "-e '/^#/d' -e 's/=.*/=X/' conf", "'s/\"//g' conf", "-n '/{/,/}/p' conf", "'s/^port=.*/port=81/' conf", "'/port/c\\port=99' conf", "'/server/{n;s/80/81/}' conf", "-E '/^(port|name)/!d' conf", "-E 's/^#?(port)=.*/\\1=1/' conf",
    "-i s/1/x/ n", "-i.bak s/1/x/ n", "-i 2d n x", "-i s/a/b/ own", "-i s/1/x/ nope n", "-i s/1/x/ l", "-i p e", "-n -i 2p n", "-i '$d' n x", "-i '$a end' w", "-i -e s/1/x/ -e s/2/y/ n", "-i.bak -E 's/(1)/[\\1]/' n", "-i", "-i p", "p nope n", "-n p n e x", "= n x", "-i = n x", "'2r x' n", "--in-place s/1/x/ n", "'wout' n", "-i '1i new' e", "-i 's/$/\\r/' n",
]  # fmt: skip


def test_sed(same):
    same(FILES, [f"sed {script} n" for script in SCRIPTS] + ["sed --version"])


def test_sed_on_other_files_and_in_place(same, case):
    same(FILES, [f"sed {words}" for words in OTHERS])
    same(
        FILES,
        [
            case("sed s/a/b/", stdin=b"aa\naa"),
            case("sed -n '$='", stdin=b"a\nb"),
            case("sed p - n", stdin=b"q\n"),
            case("sed -i s/a/b/ own", uid=1000),
            case("sed -i s/1/2/ n", uid=1000),
        ],
        least=5,
    )
