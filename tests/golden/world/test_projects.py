"""Two projects of the toy internet, built by the same ordinary means."""

from __future__ import annotations

SERVER = (
    "wget https://nginx.org/download/nginx-1.24.0.tar.gz -O nginx.tar.gz && tar -zxf nginx.tar.gz && "
    "rm -f nginx.tar.gz && cd /usr/src/nginx-1.24.0 && "
    "./configure --prefix={prefix} --sbin-path={prefix}/sbin/nginx && make && make install"
)
TALLY = (
    "wget -q https://downloads.example.org/tally/tally-0.3.tar.gz && tar xzf tally-0.3.tar.gz && "
    "cd tally-0.3 && make check && make PREFIX=/opt/tally install"
)


def test_the_server_builds_from_its_sources_and_answers(machine):
    here = machine("skillfir/alpine:gcc")

    status, output = here.run(SERVER.format(prefix="/app/nginx"))

    assert status == 0, output
    assert sorted(here.fs.listdir("/app/nginx")) == ["conf", "html", "logs", "sbin"]
    answer = here.get("cd /app/nginx && ./sbin/nginx -g 'daemon off;'")
    assert (answer.status, answer.headers["Server"]) == (200, "nginx/1.24.0")
    assert b"Welcome to nginx!" in answer.body


def test_another_prefix_needs_no_change_anywhere(machine):
    here = machine("skillfir/alpine:gcc")

    status, output = here.run(SERVER.format(prefix="/srv/web"))

    assert status == 0, output
    assert here.get("/srv/web/sbin/nginx -g 'daemon off;'").status == 200
    assert "--prefix=/srv/web" in here.run("/srv/web/sbin/nginx -V")[1]


def test_the_same_build_twice_gives_the_same_bytes(machine):
    one, two = machine("skillfir/alpine:gcc"), machine("skillfir/alpine:gcc")

    one.run(SERVER.format(prefix="/app"))
    two.run(SERVER.format(prefix="/app"))

    assert one.fs.upper == two.fs.upper


def test_a_second_project_builds_a_library_and_two_programs(machine):
    here = machine("skillfir/alpine:gcc")

    status, output = here.run(TALLY)

    assert status == 0, output
    assert "ar rcs build/libtally.a build/count.o build/max.o" in output
    assert sorted(here.fs.listdir("/opt/tally/bin")) == ["tally", "tally-about"]
    assert here.run("printf 'one two\\nthree\\n' | /opt/tally/bin/tally") == (0, "2 3 14\n")
    assert here.run("/opt/tally/bin/tally-about")[1] == "tally-about 0.3: counts lines, words and bytes\n"


def test_the_second_project_builds_with_another_c_library_too(machine):
    here = machine("gcc:12")

    status, output = here.run(TALLY, cwd="/usr/src")

    assert status == 0, output
    assert here.run("/opt/tally/bin/tally --version") == (0, "tally 0.3\n")


def test_the_installed_library_serves_a_program_of_ones_own(machine):
    here = machine("skillfir/alpine:gcc")
    here.run(TALLY)
    source = '#include <tally.h>\nint main(void) { printf("%ld\\n", tally_max(4, 7)); return 0; }\n'
    here.fs.write_bytes("/m.c", source.encode())

    status, output = here.run("cc -I/opt/tally/include /m.c -L/opt/tally/lib -ltally -o m && ./m")

    assert (status, output) == (0, "7\n")


def test_configure_names_the_library_that_is_missing(machine):
    here = machine("alpine:3.19")
    here.run("apk add -q --no-cache gcc make musl-dev zlib-dev")

    status, output = here.run(SERVER.format(prefix="/app").replace("cd /usr/src/", "cd /"), cwd="/")

    assert status == 1
    assert "the HTTP rewrite module requires the PCRE library" in output


def test_configure_without_a_compiler_says_so(machine):
    here = machine("alpine:3.19")

    status, output = here.run(SERVER.format(prefix="/app").replace("cd /usr/src/", "cd /"), cwd="/")

    assert status == 1
    assert "C compiler cc is not found" in output


def test_a_program_without_its_library_does_not_start(machine):
    builder, runner = machine("skillfir/alpine:gcc"), machine("skillfir/alpine:glibc")
    builder.run(SERVER.format(prefix="/app"))
    runner.fs.write_bytes("/nginx", builder.fs.read_bytes("/app/sbin/nginx"), 0o755)

    assert runner.run("/nginx -v") == (
        127,
        "Error loading shared library libpcre.so.1: No such file or directory (needed by /nginx)\n",
    )
    runner.run("apk add --no-cache pcre")
    assert runner.run("/nginx -v") == (0, "nginx version: nginx/1.24.0\n")


def test_a_program_for_musl_is_not_found_on_debian(machine):
    builder, runner = machine("skillfir/alpine:gcc"), machine("debian:12-slim")
    builder.run("echo 'int main(void) { return 0; }' > a.c && cc a.c && cc -static a.c -o static")
    runner.fs.write_bytes("/dynamic", builder.fs.read_bytes("/usr/src/a.out"), 0o755)
    runner.fs.write_bytes("/static", builder.fs.read_bytes("/usr/src/static"), 0o755)

    status, output = runner.run("/dynamic")

    assert status == 127
    assert "/lib/ld-musl-x86_64.so.1" in output
    assert runner.run("/static") == (0, "")


def test_build_and_clean_in_one_line_as_official_images_do_it(machine):
    here = machine("debian:12-slim")
    script = """set -eux
        saved="$(apt-mark showmanual)"
        apt-get update
        apt-get install -y --no-install-recommends ca-certificates wget gcc libc6-dev make
        rm -rf /var/lib/apt/lists/*
        wget -O tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz
        mkdir -p /usr/src/tally
        tar -xzf tally.tar.gz -C /usr/src/tally --strip-components=1
        rm tally.tar.gz
        make -C /usr/src/tally -j "$(nproc)" all
        make -C /usr/src/tally install
        rm -r /usr/src/tally
        apt-mark auto '.*' > /dev/null
        [ -z "$saved" ] || apt-mark manual $saved > /dev/null
        find /usr/local -type f -executable -exec ldd '{}' ';' | sed -n 's/.*=> //p' | sort -u
        apt-get purge -y --auto-remove -o APT::AutoRemove::RecommendsImportant=false
        tally --version
    """

    status, output = here.run(script)

    assert status == 0, output
    assert output.endswith("tally 0.3\n")
    assert here.run("which gcc make wget")[0] == 1
    assert here.fs.listdir("/var/lib/apt/lists") == []


def test_no_code_knows_the_example():
    import builder

    found = [
        path
        for path in sorted(__import__("pathlib").Path(builder.__file__).parent.rglob("*.py"))
        if any(word in path.read_text(encoding="utf-8") for word in ("nginx-1.24", "/app/nginx"))
    ]

    assert found == []
