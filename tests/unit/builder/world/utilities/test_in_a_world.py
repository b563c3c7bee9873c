"""Utilities as processes: pipes, the clock, other commands, users."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

import pytest

from unionfs_sim.nodes.caller import Caller


def test_a_writer_stops_when_nobody_reads(machine):
    assert machine.run("yes | head -n 2; seq 1 100000000 | head -n 1") == (0, "y\ny\n1\n")


def test_a_complaint_comes_after_what_was_printed_before(machine):
    _, printed = machine.run("echo one > a; cat a nope a")

    assert printed == "one\ncat: can't open 'nope': No such file or directory\none\n"


def test_sleep_moves_the_worlds_clock_and_nobody_waits(machine):
    _, printed = machine.run("date -u +%s; sleep 1d; date -u +%s")
    before, after = map(int, printed.split())

    assert after - before == 86_400


def test_timeout_ends_what_takes_too_long(machine):
    assert machine.run("timeout 5 sleep 100; echo $?; date +%s") == (0, "143\n1600000005\n")


def test_timeout_lets_a_quick_command_end_as_it_does(machine):
    assert machine.run("timeout 5 false; echo $?; timeout 5 echo hi") == (0, "1\nhi\n")


def test_find_and_xargs_run_other_commands_of_the_world(machine):
    _, printed = machine.run(
        "touch b a; find . -type f -exec basename {} \\; ; find . -type f | xargs -n 1 echo got"
    )

    assert printed == "a\nb\ngot ./a\ngot ./b\n"


def test_a_command_that_does_not_exist_gives_127(machine):
    assert machine.run("env nosuch; echo $?; echo x | xargs nosuch 2>/dev/null; echo $?")[1].endswith(
        "127\n127\n"
    )


def test_env_changes_what_a_command_sees(machine):
    assert machine.run("X=1 env -u X Y=2 sh -c 'echo [$X$Y]'") == (0, "[2]\n")


def test_awk_talks_to_commands(machine):
    program = (
        'BEGIN { "echo in" | getline x; print x; print "b\\na" | "sort"; close("sort"); system("echo out") }'
    )

    assert machine.run(f"awk '{program}'") == (0, "in\na\nb\nout\n")


def test_awk_reports_the_status_of_a_command(machine):
    assert machine.run("awk 'BEGIN { print system(\"exit 3\") }'") == (0, "3\n")


def test_temporary_names_are_the_same_in_every_run_and_never_taken(machine):
    first = machine.run("mktemp; mktemp; mktemp -d")[1].split()

    assert len(set(first)) == 3
    assert type(machine)().run("mktemp; mktemp; mktemp -d")[1].split() == first


def test_files_under_dev_need_no_name_in_the_image(machine):
    assert machine.run("echo x | tee /dev/null; cp /dev/null e; wc -c < e; echo y | cat /dev/stdin") == (
        0,
        "x\n0\ny\n",
    )


def test_an_ordinary_user_may_not_do_what_only_root_may(machine):
    status, printed = machine.run("touch f; chown 0 f; rm /bin/cat", caller=Caller(1000, 1000))

    assert status == 1
    assert printed == "chown: f: Operation not permitted\nrm: can't remove '/bin/cat': Permission denied\n"


def test_a_directory_that_contains_itself_is_walked_once(machine):
    assert machine.run("mkdir d; ln -s . d/self; find -L d | wc -l; du -sL d | wc -l")[0] == 0


def test_a_tree_that_copies_into_itself_is_refused(machine):
    status, printed = machine.run("mkdir d; cp -r d d/in")

    assert (status, printed) == (1, "cp: recursion detected, omitting directory 'd/in'\n")


# -- hostile archives


def archive(*names: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            tar.addfile(info, io.BytesIO())
    return made.getvalue()


def test_no_name_in_an_archive_leads_out_of_the_directory(machine):
    machine.fs.write_bytes("/w/h.tar", archive("/etc/abs", "../../up", "a/../../b"))

    machine.run("mkdir in; tar xf h.tar -C in")

    assert sorted(machine.fs.listdir("/w/in")) == ["b", "etc", "up"]
    assert not machine.fs.exists("/up")
    assert not machine.fs.exists("/etc/abs")


def test_nothing_is_written_through_a_link_of_the_archive(machine):
    machine.fs.write_bytes(
        "/w/h.tar", archive("out", kind=tarfile.SYMTYPE, link="/tmp")[:512] + archive("out/evil")
    )

    machine.run("tar xf h.tar")

    assert machine.fs.listdir("/tmp") == []


@pytest.mark.parametrize("cut", [1, 100, 511, 513, 700])
def test_a_truncated_archive_is_one_clear_error(machine, cut):
    machine.fs.write_bytes("/w/t", (archive("x" * 300, "y") * 2)[:cut])

    status, printed = machine.run("tar xf t")

    assert (status, printed.count("\n")) == (1, 1)


def test_an_endless_header_is_refused_without_reading_it_into_memory(machine):
    header = bytearray(archive("x")[:512])
    header[156:157] = b"L"
    header[124:136] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    machine.fs.write_bytes("/w/t", bytes(header))

    assert machine.run("tar xf t") == (1, "tar: extended header is too long\n")


def test_what_is_compressed_beyond_measure_streams_through(machine):
    machine.fs.write_bytes("/w/bomb.gz", gzip.compress(bytes(20 << 20), mtime=0))

    assert machine.run("zcat bomb.gz | head -c 3 | wc -c; gzip -dc bomb.gz | wc -c") == (
        0,
        f"3\n{20 << 20}\n",
    )


def test_a_gzip_member_with_every_header_field_is_read(machine):
    body = zlib.compressobj(wbits=-15)
    packed = body.compress(b"hi\n") + body.flush()
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x02\x00ab" + b"name\0" + b"comment\0" + b"cc"
    tail = zlib.crc32(b"hi\n").to_bytes(4, "little") + (3).to_bytes(4, "little")
    machine.fs.write_bytes("/w/f.gz", head + packed + tail)

    assert machine.run("zcat f.gz") == (0, "hi\n")


def test_a_name_that_is_no_text_goes_through_unharmed(machine):
    machine.fs.write_bytes(b"/w/\xff\xfe", b"x")

    _, printed = machine.run("ls; find . -type f; tar cf t.tar .; tar tf t.tar")

    assert printed.encode("utf-8", "surrogateescape").count(b"\xff\xfe") == 3


def test_a_program_that_is_nested_too_deeply_is_refused(machine):
    for script in (
        "awk 'BEGIN{print " + "(" * 2000 + "1" + ")" * 2000 + "}'",
        "expr " + "\\( " * 2000 + "1" + " \\)" * 2000,
    ):
        status, printed = machine.run(script)

        assert status in (1, 2)
        assert printed.count("\n") == 1


def test_an_awk_function_without_end_is_stopped(machine):
    status, printed = machine.run("awk 'function f() { return f() } BEGIN { f() }'")

    assert (status, printed) == (1, "awk: function 'f' is called too deeply\n")
