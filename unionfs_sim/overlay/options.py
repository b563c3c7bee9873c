"""The options of a mount: what is asked for, and what then holds (fs/overlayfs/params.c).

The only place that knows the kernel's top-first ``lowerdir`` string.
"""

from __future__ import annotations

import enum
import errno
from typing import Final, NoReturn

from unionfs_sim.nodes.record import Record, replace

MAX_LOWERS: Final = 500
REDIRECT_MAX: Final = 256


def refuse(sentence: str, code: int = errno.EINVAL) -> NoReturn:
    """Raise the OSError that mount(2) gives, which says why."""
    raise OSError(code, f"cannot mount: {sentence}")


class RedirectDir(enum.Enum):
    """Whether a renamed lower directory is remembered by an attribute, and whether such are followed."""

    ON = "on"
    FOLLOW = "follow"
    NOFOLLOW = "nofollow"
    OFF = "off"
    """Not made, but followed, as OVERLAY_FS_REDIRECT_ALWAYS_FOLLOW has it."""


class Xino(enum.Enum):
    """Whether inode numbers carry the layer's file system in their upper bits."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"


class Options(Record, kw_only=True):
    """What is asked of a mount; None is not said, and then the kernel decides (``settled``).

    >>> Options.parse("lowerdir=/top:/base,upperdir=/u,workdir=/w,index=on").lowers
    ('/base', '/top')
    """

    redirect_dir: RedirectDir | None = None
    metacopy: bool | None = None
    index: bool | None = None
    xino: Xino | None = None
    userxattr: bool = False
    volatile: bool = False
    lowers: tuple[str, ...] = ()
    data_lowers: tuple[str, ...] = ()
    upper: str | None = None
    work: str | None = None

    def check(self) -> None:
        """Raise TypeError for a setting of the wrong type, which would silently mean something else."""
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if type(value) not in kinds:
                wanted = " or ".join(_words(kind) for kind in kinds if kind is not type(None))
                raise TypeError(
                    f"Options({name}={value!r}): give {wanted}; the words of a mount command are read by "
                    f"Options.parse({f'{name}={value}'!r})"
                )

    def settled(self, *, has_upper: bool) -> Settings:
        """What holds once options that depend on others are settled (ovl_fs_params_verify).

        The defaults are those of a kernel with OVERLAY_FS_REDIRECT_ALWAYS_FOLLOW, as most are built. Raises
        OSError (EINVAL) for what does not go together; TypeError for a setting of the wrong type.
        """
        self.check()
        redirect = RedirectDir.FOLLOW if self.redirect_dir is RedirectDir.OFF else self.redirect_dir
        metacopy = bool(self.metacopy)
        if metacopy and redirect is not RedirectDir.ON:
            if self.redirect_dir is not None and (has_upper or redirect is not RedirectDir.FOLLOW):
                refuse(f"metacopy=on needs redirect_dir=on, not {self.redirect_dir.value}")
            redirect = RedirectDir.ON
        if self.userxattr:
            if self.redirect_dir not in (None, RedirectDir.NOFOLLOW):
                refuse("with userxattr no redirect is followed: say redirect_dir=nofollow, or leave it out")
            if metacopy:
                refuse("with userxattr no metacopy is followed: leave metacopy=on out")
            # The attributes could be forged by whoever owns the files: none is followed.
            redirect, metacopy = RedirectDir.NOFOLLOW, False
        redirect = redirect or RedirectDir.FOLLOW
        if not has_upper and redirect is RedirectDir.FOLLOW:
            redirect = RedirectDir.ON  # the same, where nothing can be renamed
        return Settings(
            redirect_dir=redirect,
            metacopy=metacopy,
            index=bool(self.index) and has_upper,
            xino=self.xino or Xino.OFF,
            userxattr=self.userxattr,
            volatile=self.volatile and has_upper,
        )

    @staticmethod
    def parse(text: str) -> Options:
        """The options that a mount(8) string means; OSError (EINVAL) for what the kernel refuses.

        A comma or colon that belongs to a path is written with a backslash before it.
        """
        asked = _Parser().parse(text)
        if len(asked.lowers) + len(asked.data_lowers) > MAX_LOWERS:
            refuse(f"at most {MAX_LOWERS} lower layers")
        if asked.upper is not None and asked.work is None:
            refuse("an upperdir needs a workdir beside it")
        asked.settled(has_upper=asked.upper is not None)
        return asked

    def __str__(self) -> str:
        lowers = ":".join(_escape(path) for path in reversed(self.lowers))
        data = "".join("::" + _escape(path) for path in reversed(self.data_lowers))
        words = [f"lowerdir={lowers}{data}"] if self.lowers else []
        if self.upper is not None:
            words.append(f"upperdir={_escape(self.upper)}")
        if self.work is not None:
            words.append(f"workdir={_escape(self.work)}")
        if self.redirect_dir is not None:
            words.append(f"redirect_dir={self.redirect_dir.value}")
        for word, said in (("index", self.index), ("metacopy", self.metacopy)):
            words += [] if said is None else [f"{word}={'on' if said else 'off'}"]
        if self.xino is not None:
            words.append(f"xino={self.xino.value}")
        words += [word for word in ("userxattr", "volatile") if getattr(self, word)]
        return ",".join(words)


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "redirect_dir": (RedirectDir, type(None)),
    "metacopy": (bool, type(None)),
    "index": (bool, type(None)),
    "xino": (Xino, type(None)),
    "userxattr": (bool,),
    "volatile": (bool,),
}


def _words(kind: type) -> str:
    if issubclass(kind, enum.Enum):
        return ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
    return "True, False"


class Settings(Record, kw_only=True):
    """The options that hold for a mounted union."""

    redirect_dir: RedirectDir = RedirectDir.FOLLOW
    metacopy: bool = False
    index: bool = False
    xino: Xino = Xino.OFF
    userxattr: bool = False
    volatile: bool = False

    @property
    def xattr_prefix(self) -> str:
        """What the union's own extended attributes begin with."""
        return "user.overlay." if self.userxattr else "trusted.overlay."

    @property
    def follows_redirects(self) -> bool:
        """Whether a redirect attribute is obeyed."""
        return self.redirect_dir is not RedirectDir.NOFOLLOW

    @property
    def allows_offline_changes(self) -> bool:
        """Whether lower layers may change while nothing is mounted (ovl_allow_offline_changes)."""
        return not (
            self.index or self.metacopy or self.redirect_dir is RedirectDir.ON or self.xino is Xino.ON
        )

    def as_options(self) -> Options:
        """What asks for just this; what the kernel would choose itself is not said."""
        return Options(
            redirect_dir=None if self.redirect_dir is RedirectDir.FOLLOW else self.redirect_dir,
            metacopy=self.metacopy or None,
            index=self.index or None,
            xino=None if self.xino is Xino.OFF else self.xino,
            userxattr=self.userxattr,
            volatile=self.volatile,
        )

    def __str__(self) -> str:
        """The words that /proc/mounts shows: what differs from the kernel's own choice."""
        words = [] if self.redirect_dir is RedirectDir.FOLLOW else [f"redirect_dir={self.redirect_dir.value}"]
        words += [f"{word}=on" for word in ("index", "metacopy") if getattr(self, word)]
        words += [] if self.xino is Xino.OFF else [f"xino={self.xino.value}"]
        words += [word for word in ("userxattr", "volatile") if getattr(self, word)]
        return ",".join(words)


def _escape(path: str) -> str:
    for sign in ("\\", ":", ","):
        path = path.replace(sign, "\\" + sign)
    return path


_KNOWN: Final = (
    "lowerdir, lowerdir+, datadir+, upperdir, workdir, redirect_dir=on|follow|nofollow|off, metacopy=on|off, "
    "index=on|off, xino=on|off|auto, userxattr, volatile, fsync=auto|strict|volatile, uuid=…"
)


class _Parser:
    """Reads one option string."""

    def __init__(self) -> None:
        self._options = Options()
        self._has_lowerdir = False

    def parse(self, text: str) -> Options:
        for word in _split(text, ","):
            if word:
                key, equals, value = word.partition("=")
                self._option(word, key, value if equals else None)
        return self._options

    def _option(self, word: str, key: str, value: str | None) -> None:
        options = self._options
        match key, value:
            case "lowerdir", str():
                self._has_lowerdir = True
                self._lowers(value)
            case "lowerdir+", str():
                if options.data_lowers or not value or self._has_lowerdir:
                    refuse("lowerdir+ names one layer, before any datadir+ and without a lowerdir")
                self._options = replace(options, lowers=(_unescape(value), *options.lowers))
            case "datadir+", str():
                if not options.lowers or not value or self._has_lowerdir:
                    refuse("datadir+ names one layer, after a lowerdir+ and without a lowerdir")
                self._options = replace(options, data_lowers=(_unescape(value), *options.data_lowers))
            case "upperdir", str():
                self._options = replace(options, upper=_unescape(value) or None)
            case "workdir", str():
                self._options = replace(options, work=_unescape(value) or None)
            case "redirect_dir", "on" | "follow" | "nofollow" | "off":
                self._options = replace(options, redirect_dir=RedirectDir(value))
            case "metacopy", "on" | "off":
                self._options = replace(options, metacopy=value == "on")
            case "index", "on" | "off":
                self._options = replace(options, index=value == "on")
            case "xino", "on" | "off" | "auto":
                self._options = replace(options, xino=Xino(value))
            case "userxattr", None:
                self._options = replace(options, userxattr=True)
            case "volatile", None:
                self._options = replace(options, volatile=True)
            case "fsync", "volatile" | "strict" | "auto":
                self._options = replace(options, volatile=value == "volatile")
            case "nfs_export", "on":
                refuse("file handles for NFS are not simulated: leave nfs_export=on out")
            case "verity", "on" | "require":
                refuse("fs-verity is not simulated: leave verity out, or say verity=off")
            case ("nfs_export" | "verity", "off") | ("uuid", "off" | "null" | "auto" | "on"):
                pass
            case "default_permissions" | "override_creds" | "nooverride_creds", None:
                pass
            case _:
                refuse(f"{word!r} is no option of overlayfs; it knows {_KNOWN}")

    def _lowers(self, value: str) -> None:
        """``top:middle:base::data``: top first, data-only layers behind double colons."""
        if not value:
            self._options = replace(self._options, lowers=(), data_lowers=())
            return
        lowers: list[str] = []
        data: list[str] = []
        target, colons = lowers, 1
        for part in _split(value, ":"):
            if part == "":
                colons += 1
                continue
            if colons == 2 and lowers:
                target = data
            elif colons > 2 or (colons == 2 and not lowers) or (colons == 1 and target is data):
                refuse(f"{value!r} is no list of layers: top:…:base, data layers behind ::")
            target.append(_unescape(part))
            colons = 1
        if colons != 1 or value.endswith(":"):
            refuse(f"{value!r} is no list of layers: top:…:base, data layers behind ::")
        self._options = replace(
            self._options, lowers=tuple(reversed(lowers)), data_lowers=tuple(reversed(data))
        )


def _split(text: str, sign: str) -> list[str]:
    """The parts of ``text`` between signs that have no backslash before them; backslashes stay."""
    parts, part, place = [], "", 0
    while place < len(text):
        if text[place] == "\\" and place + 1 < len(text):
            part += text[place : place + 2]
            place += 2
        elif text[place] == sign:
            parts.append(part)
            part = ""
            place += 1
        else:
            part += text[place]
            place += 1
    return [*parts, part]


def _unescape(text: str) -> str:
    out, place = "", 0
    while place < len(text):
        if text[place] == "\\" and place + 1 < len(text):
            place += 1
        out += text[place]
        place += 1
    return out
