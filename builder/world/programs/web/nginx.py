"""The nginx program of the base images and packages: its command line around the web server."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.programs.web.server import Settings, check, serve

BUILD_FILE: Final = "/usr/lib/nginx/build"
"""Where the package says how its nginx was built: version, prefix, paths."""


_DEFAULTS: Final = frozenset(("error_log", "access_log", "pid", "user"))


def nginx(process: Process) -> int:
    """Serve, check the configuration (-t), or tell the version (-v, -V)."""
    built = _built(process)
    version = built.get("version", "nginx")
    given = {
        "-c": built.get("conf", "conf/nginx.conf"),
        "-p": built.get("prefix", "/usr/share/nginx"),
        "-g": "",
    }
    run = serve
    words = list(process.argv[1:])
    while words:
        word = words.pop(0)
        match word:
            case "-v" | "-V":
                _say(process, f"nginx version: {version}")
                if word == "-V":
                    _say(process, f"configure arguments: --prefix={given['-p']}")
                return 0
            case "-t" | "-T":
                run = check
            case "-q":
                continue
            case "-c" | "-p" | "-g" if words:
                given[word] = words.pop(0)
            case "-c" | "-p" | "-g":
                _say(process, f'nginx: option "{word}" requires parameter')
                return 1
            case "-s":
                _say(process, "nginx: not simulated: signals to a running server (-s)")
                return 2
            case _:
                _say(process, f'nginx: invalid option: "{word}"')
                return 1
    defaults = {key: value for key, value in built.items() if key in _DEFAULTS}
    return run(process, Settings("nginx", version, given["-p"], given["-c"], given["-g"], defaults))


def _say(process: Process, text: str) -> None:
    process.stderr.write(f"{text}\n".encode("utf-8", "surrogateescape"))


def _built(process: Process) -> dict[str, str]:
    try:
        text = process.fs.read_bytes(BUILD_FILE).decode("utf-8", "replace")
    except OSError:
        return {}
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
