"""The nginx program of the base images and packages: its command line around the web server."""

from __future__ import annotations

from typing import Final

from builder.world.process import Process
from builder.world.programs.web.server import Settings, check, serve

BUILD_FILE: Final = "/usr/lib/nginx/build"
"""Where the package says how its nginx was built: version, prefix, paths."""


_DEFAULTS: Final = frozenset(("error_log", "access_log", "pid", "user"))


def nginx(process: Process) -> int:
    """Serve, check the configuration (-t), or tell the version (-v, -V)."""
    built = _built(process)
    version = built.get("version", "nginx")
    conf, prefix, globals_ = built.get("conf", "conf/nginx.conf"), built.get("prefix", "/usr/share/nginx"), ""
    wants_check = False
    words = list(process.argv[1:])
    while words:
        word = words.pop(0)
        match word:
            case "-v":
                process.stderr.write(f"nginx version: {version}\n".encode("utf-8", "surrogateescape"))
                return 0
            case "-V":
                process.stderr.write(
                    f"nginx version: {version}\nconfigure arguments: --prefix={prefix}\n".encode(
                        "utf-8", "surrogateescape"
                    )
                )
                return 0
            case "-t" | "-T":
                wants_check = True
            case "-q":
                continue
            case "-c" | "-p" | "-g" if words:
                value = words.pop(0)
                conf, prefix, globals_ = {
                    "-c": (value, prefix, globals_),
                    "-p": (conf, value, globals_),
                    "-g": (conf, prefix, value),
                }[word]
            case "-c" | "-p" | "-g":
                process.stderr.write(
                    f'nginx: option "{word}" requires parameter\n'.encode("utf-8", "surrogateescape")
                )
                return 1
            case "-s":
                process.stderr.write(b"nginx: not simulated: signals to a running server (-s)\n")
                return 2
            case _:
                process.stderr.write(f'nginx: invalid option: "{word}"\n'.encode("utf-8", "surrogateescape"))
                return 1
    defaults = {key: value for key, value in built.items() if key in _DEFAULTS}
    settings = Settings("nginx", version, prefix, conf, globals_, defaults)
    return check(process, settings) if wants_check else serve(process, settings)


def _built(process: Process) -> dict[str, str]:
    try:
        text = process.fs.read_bytes(BUILD_FILE).decode("utf-8", "replace")
    except OSError:
        return {}
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
