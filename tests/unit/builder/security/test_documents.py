"""Reading YAML: what scalars mean, where things stand, and what is refused."""

from __future__ import annotations

import json
import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import ManifestError
from builder.security.documents import Limits, Mapping, plain, read


def root(text: str):
    (document,) = read(textwrap.dedent(text).encode(), "x.yaml")
    return document.root


def refusal(text: str | bytes, **limits: int) -> str:
    raw = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
    with pytest.raises(ManifestError) as caught:
        read(raw, "x.yaml", Limits(**limits))
    return str(caught.value)


def test_a_file_has_several_documents_and_empty_ones_do_not_count() -> None:
    found = read(b"a: 1\n---\n# nothing\n---\nb: 2\n...\n", "x.yaml")

    assert [(each.root, each.line) for each in found] == [({"a": 1}, 1), ({"b": 2}, 5)]


def test_every_key_and_item_knows_its_line() -> None:
    value = root("""\
        a:
          b: 1

          c:
          - x
          -
            d: 2
        """)

    assert value.lines == {"a": 1}
    assert value["a"].lines == {"b": 2, "c": 4}
    assert value["a"]["c"].lines == [5, 7]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("Off", False),
        ("y", True),
        ("~", None),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 15),
        ("08", 8.0),
        ("1_000", 1000),
        ("0b101", 5),
        ("-7", -7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("12:30:45", "12:30:45"),
        ("2001-12-14", "2001-12-14"),
        ("1.2.3", "1.2.3"),
        ("0x_", "0x_"),
        ("-", "-"),
        ("9" * 5000, float("inf")),
        ("nope", "nope"),
    ],
)
def test_a_plain_scalar_means_what_kubectl_takes_it_for(text: str, value: object) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_quotes_and_the_tag_of_strings_keep_a_scalar_a_string() -> None:
    assert root('["yes", \'1\', !!str 2, !!int "3"]\n') == ["yes", "1", "2", 3]


def test_merged_keys_give_way_to_written_ones() -> None:
    value = root("""\
        base: &base {a: 1, b: 2}
        more: &more {b: 3, c: 4}
        use:
          <<: [*base, *more]
          a: 5
        """)

    assert value["use"] == {"a": 5, "b": 2, "c": 4}
    assert value["use"].lines == {"a": 5, "b": 1, "c": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "x.yaml:4: b: the key 'c' was given before, in line 3"),
        ("a:\n\tb: 1\n", "x.yaml:2: a tab cannot indent YAML"),
        ("a: &a [*a]\n", "x.yaml:1: a[0]: *a stands inside what it names"),
        ("a: *b\n", "x.yaml:1: a: no anchor &b stands before *b"),
        ("a: !!python/object/apply:os.system [id]\n", "x.yaml:1: a: the tag"),
        ("a: !Custom x\n", "x.yaml:1: a: the tag '!Custom' is refused"),
        ("? [a]\n: 1\n", "x.yaml:1: a key must be a scalar"),
        ("null: 1\n", "x.yaml:1: a key must not be empty or null"),
        ("a: {b: 1\n", "x.yaml:2: not YAML:"),
        ("a: b: c\n", "x.yaml:1: not YAML: mapping values are not allowed"),
        ("<<: 3\n", "x.yaml:1: ['<<']: <<: merges mappings only"),
        (b"a: \x00\n", "x.yaml:1: this is not text that YAML allows"),
        (b"a: b\nc: \xff\n", "x.yaml:2: this is not text that YAML allows"),
    ],
)
def test_what_is_refused_names_file_line_and_field(text: str | bytes, said: str) -> None:
    assert refusal(text).startswith(said)


def test_aliases_count_for_what_they_expand_to() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    said = refusal("\n".join(lines))

    assert "more than 500000 values, with every alias counted" in said


def test_depth_and_size_are_limited() -> None:
    assert "nested more than 100 deep" in refusal("[" * 2000)
    assert "x.yaml: the file has more than 0 MiB" in refusal("a: 1", file_bytes=2)
    assert "more than 2 values" in refusal("[1, 2, 3]", nodes=2)


texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=8).filter(
    lambda text: text not in "yYnN"  # PyYAML takes them for strings
)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, trees, min_size=1, max_size=4))
def test_json_is_read_as_what_json_says(value: dict[str, object]) -> None:
    (document,) = read(json.dumps(value, ensure_ascii=False).encode(), "x.json")

    assert document.root == value
    assert type(document.root) is Mapping


@given(st.binary(max_size=200) | st.text("{}[]:,-&*!|>'\"#%@ \t\nab01", max_size=60).map(str.encode))
def test_no_input_ends_in_anything_but_documents_or_an_error_with_a_place(raw: bytes) -> None:
    try:
        read(raw, "x.yaml")
    except ManifestError as error:
        assert str(error).startswith("x.yaml")


@given(trees)
def test_what_pyyaml_writes_is_read_back(value: object) -> None:
    found = read(yaml.safe_dump(value, allow_unicode=True).encode(), "x.yaml")

    assert [each.root for each in found] == ([] if value is None else [value])
