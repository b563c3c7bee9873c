"""The options of a mount; the only place that knows the kernel's top-first ``lowerdir`` string."""

from __future__ import annotations

import enum
import errno
from typing import Final

from unionfs_sim.nodes.record import Record, replace
from unionfs_sim.vfs.permission import fail

MAX_LOWERS: Final = 500
REDIRECT_MAX: Final = 256


class RedirectDir(enum.Enum):
    """Whether a renamed lower directory is remembered by an attribute, and whether such are followed."""

    ON = "on"
    FOLLOW = "follow"
    NOFOLLOW = "nofollow"


class Xino(enum.Enum):
    """Whether inode numbers carry the layer's file system in their upper bits."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"


class Options(Record, kw_only=True):
    """How a union is mounted.

    The defaults are those of a kernel with OVERLAY_FS_REDIRECT_ALWAYS_FOLLOW, as most are built.

    >>> Options.parse("lowerdir=/top:/base,upperdir=/u,workdir=/w,index=on").lowers
    ('/base', '/top')
    """

    redirect_dir: RedirectDir = RedirectDir.FOLLOW
    metacopy: bool = False
    index: bool = False
    xino: Xino = Xino.OFF
    userxattr: bool = False
    volatile: bool = False
    lowers: tuple[str, ...] = ()
    data_lowers: tuple[str, ...] = ()
    upper: str | None = None
    work: str | None = None

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

    @staticmethod
    def parse(text: str) -> Options:
        """The options that a mount(8) string means; EINVAL for what the kernel refuses.

        A comma or colon that belongs to a path is written with a backslash before it.
        """
        return _Parser().parse(text)

    def __str__(self) -> str:
        lowers = ":".join(_escape(path) for path in reversed(self.lowers))
        data = "".join("::" + _escape(path) for path in reversed(self.data_lowers))
        words = [f"lowerdir={lowers}{data}"] if self.lowers else []
        if self.upper is not None:
            words.append(f"upperdir={_escape(self.upper)}")
        if self.work is not None:
            words.append(f"workdir={_escape(self.work)}")
        if self.redirect_dir is not RedirectDir.FOLLOW:
            words.append(f"redirect_dir={self.redirect_dir.value}")
        words += [f"{word}=on" for word in ("index", "metacopy") if getattr(self, word)]
        if self.xino is not Xino.OFF:
            words.append(f"xino={self.xino.value}")
        words += [word for word in ("userxattr", "volatile") if getattr(self, word)]
        return ",".join(words)


def _escape(path: str) -> str:
    for sign in ("\\", ":", ","):
        path = path.replace(sign, "\\" + sign)
    return path


class _Parser:
    """Reads one option string (fs/overlayfs/params.c)."""

    def __init__(self) -> None:
        self._options = Options()
        self._said: set[str] = set()

    def parse(self, text: str) -> Options:
        for word in _split(text, ","):
            if word:
                key, equals, value = word.partition("=")
                self._option(key, value if equals else None)
        return resolve(self._options, self._said)

    def _option(self, key: str, value: str | None) -> None:
        options = self._options
        self._said.add(key)
        match key, value:
            case "lowerdir", str():
                self._lowers(value)
            case "lowerdir+", str():
                if options.data_lowers or not value or "lowerdir" in self._said:
                    fail(errno.EINVAL)
                self._options = replace(options, lowers=(_unescape(value), *options.lowers))
            case "datadir+", str():
                if not options.lowers or not value or "lowerdir" in self._said:
                    fail(errno.EINVAL)
                self._options = replace(options, data_lowers=(_unescape(value), *options.data_lowers))
            case "upperdir", str():
                self._options = replace(options, upper=_unescape(value) or None)
            case "workdir", str():
                self._options = replace(options, work=_unescape(value) or None)
            case "redirect_dir", "on" | "follow" | "nofollow" | "off":
                # OVERLAY_FS_REDIRECT_ALWAYS_FOLLOW: "off" still follows.
                mode = RedirectDir.FOLLOW if value == "off" else RedirectDir(value)
                self._said.add(f"redirect_dir={value}")
                self._options = replace(options, redirect_dir=mode)
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
                # Not simulated: file handles. With index=off the kernel refuses it as well.
                fail(errno.EINVAL)
            case ("nfs_export" | "verity", "off") | ("uuid", "off" | "null" | "auto" | "on"):
                pass
            case "default_permissions" | "override_creds" | "nooverride_creds", None:
                pass
            case _:
                fail(errno.EINVAL)

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
                fail(errno.EINVAL)
            target.append(_unescape(part))
            colons = 1
        if colons != 1 or value.endswith(":"):
            fail(errno.EINVAL)
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


def resolve(options: Options, said: set[str] | frozenset[str] = frozenset()) -> Options:
    """The options that hold once those that depend on others are settled (ovl_fs_params_verify).

    ``said``: the words that were written, as a conflict is an error only between written ones.
    """
    if len(options.lowers) + len(options.data_lowers) > MAX_LOWERS:
        fail(errno.EINVAL)
    has_upper = options.upper is not None
    if has_upper != (options.work is not None) and has_upper:
        fail(errno.EINVAL)
    if options.lowers and not has_upper:
        if "index" in said and options.index:
            options = replace(options, index=False)
        options = replace(options, volatile=False, work=None)
    if options.metacopy and options.redirect_dir is not RedirectDir.ON:
        if (
            "redirect_dir" in said
            and ("metacopy" in said or not said)
            and not (not has_upper and options.redirect_dir is RedirectDir.FOLLOW)
        ):
            fail(errno.EINVAL)
        options = replace(options, redirect_dir=RedirectDir.ON)
    if options.userxattr:
        if options.redirect_dir is not RedirectDir.NOFOLLOW and "redirect_dir" in said:
            fail(errno.EINVAL)
        if options.metacopy and "metacopy" in said:
            fail(errno.EINVAL)
        # The attributes could be forged by whoever owns the files: none is followed.
        options = replace(options, redirect_dir=RedirectDir.NOFOLLOW, metacopy=False)
    if options.lowers and not has_upper and options.redirect_dir is RedirectDir.FOLLOW:
        options = replace(options, redirect_dir=RedirectDir.ON)  # the same, where nothing can be renamed
    return options
