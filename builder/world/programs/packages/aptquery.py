"""apt-cache and apt-mark: what is offered, and who asked for what is installed."""

from __future__ import annotations

from builder.world.machine.process import Process
from builder.world.programs.packages.apt import Apt
from builder.world.utilities.commandline import Options


def apt_cache(process: Process) -> int:
    """Answer ``policy``, ``show`` and ``search`` from the lists."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    if len(words) < 2 or words[0] not in ("policy", "show", "search"):
        process.stderr.write(b"E: not simulated: anything but apt-cache policy, show, search NAME\n")
        return 100
    run = Apt(process, Options((), ()))
    offers = run.offers()
    for name in words[1:]:
        for offer in offers.values():
            if words[0] == "search" and name in offer.name:
                process.out(f"{offer.name} - {offer.about}\n")
            elif words[0] != "search" and offer.name == name:
                process.out(f"Package: {name}\nVersion: {offer.version}\nDescription: {offer.about}\n\n")
        if words[0] == "show" and name not in offers:
            process.stderr.write(b"E: No packages found\n")
            return 100
    return 0


def apt_mark(process: Process) -> int:
    """Mark packages as wanted (manual) or only needed (auto); showmanual and showauto list them."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    if not words or words[0] not in ("manual", "auto", "showmanual", "showauto", "hold", "unhold"):
        process.stderr.write(b"E: not simulated: anything but apt-mark manual, auto, showmanual, showauto\n")
        return 100
    run = Apt(process, Options((), ()))
    if words[0].startswith("show"):
        wanted = words[0] == "showmanual"
        process.out("".join(f"{one.name}\n" for one in run.installed.values() if one.is_wanted == wanted))
    elif words[0] in ("manual", "auto"):
        run.mark(words[1:] if words[1:] != [".*"] else list(run.installed), is_wanted=words[0] == "manual")
    return 0
