"""adduser and its kin change the files that they change on a real system."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("image", "script", "line"),
    [
        ("alpine:3.19", "adduser -D app", "app:x:1000:1000:Linux User,,,:/home/app:/bin/sh"),
        ("alpine:3.19", "adduser -S app", "app:x:100:65533:Linux User,,,:/home/app:/sbin/nologin"),
        (
            "alpine:3.19",
            "addgroup -g 5000 g && adduser -D -H -u 5001 -G g -h /srv app",
            "app:x:5001:5000:Linux User,,,:/srv:/bin/sh",
        ),
        ("debian:12-slim", "useradd app", "app:x:1000:1000::/home/app:/bin/sh"),
        ("debian:12-slim", "useradd -m -u 1234 -s /bin/bash app", "app:x:1234:1234::/home/app:/bin/bash"),
        ("debian:12-slim", "groupadd -r g && useradd -r -g g app", "app:x:999:999::/home/app:/bin/sh"),
        (
            "debian:12-slim",
            "adduser --disabled-password --gecos '' app",
            "app:x:1000:1000::/home/app:/bin/bash",
        ),
    ],
)
def test_a_new_user_is_a_line_of_passwd(machine, image, script, line):
    here = machine(image)

    status, output = here.run(script)

    assert status == 0, output
    assert here.fs.read_bytes("/etc/passwd").decode().splitlines()[-1] == line


def test_a_home_belongs_to_its_user(machine):
    here = machine("alpine:3.19")

    here.run("adduser -D -u 1500 app")

    found = here.fs.stat("/home/app")
    assert (found.st_uid, found.st_gid) == (1500, 1500)


def test_useradd_makes_no_home_unless_asked(machine):
    here = machine("debian:12-slim")
    here.run("useradd one; useradd -m two")

    assert not here.fs.exists("/home/one")
    assert here.fs.exists("/home/two")


@pytest.mark.parametrize(
    ("image", "script", "status", "message"),
    [
        ("alpine:3.19", "adduser -D root", 1, "adduser: user 'root' in use"),
        ("alpine:3.19", "adduser -D -G none app", 1, "adduser: unknown group none"),
        ("alpine:3.19", "addgroup wheel", 1, "addgroup: group 'wheel' in use"),
        ("debian:12-slim", "useradd root", 9, "useradd: user 'root' already exists"),
        ("debian:12-slim", "useradd -g none app", 6, "useradd: group 'none' does not exist"),
        ("debian:12-slim", "groupadd staff", 9, "groupadd: group 'staff' already exists"),
    ],
)
def test_what_exists_is_not_made_again(machine, image, script, status, message):
    assert machine(image).run(script) == (status, f"{message}\n")


def test_a_user_can_join_and_leave(machine):
    here = machine("alpine:3.19")

    here.run(
        "adduser -D app; addgroup app wheel; addgroup crew; adduser app crew; deluser nobody; delgroup users"
    )

    groups = here.fs.read_bytes("/etc/group").decode()
    assert "wheel:x:10:root,app\n" in groups
    assert "crew:x:1001:app\n" in groups
    assert "users:" not in groups
    assert "nobody:" not in here.fs.read_bytes("/etc/passwd").decode()
