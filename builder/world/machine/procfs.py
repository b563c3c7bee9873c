"""What the kernel and the runtime put beside an image: /proc, /sys, and the files of names in /etc.

proc(5); OCI runtime-spec, config-linux.md, "Default Filesystems"; hosts and resolv.conf as BuildKit binds
them, read-only (``executor/oci/spec.go``, withROBind). The machine is always the same
one: one processor, two gigabytes, no uptime.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from builder.world.machine.attachments import Attachment
from unionfs_sim.layers.layer import Dir, Layer, Symlink, layer

HOSTNAME: Final = "buildkitsandbox"
"""The name that BuildKit gives the machine of a RUN."""
RELEASE: Final = "6.1.0"
"""Of the kernel, as ``uname -r`` says it."""

_MOUNTS: Final = """\
overlay / overlay rw,relatime 0 0
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755 0 0
devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666 0 0
shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k 0 0
mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime 0 0
sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime 0 0
"""
_CPUINFO: Final = """\
processor\t: 0
vendor_id\t: Simulated
model name\t: simulated
cpu cores\t: 1
flags\t\t: fpu

"""
_MEMINFO: Final = """\
MemTotal:        2097152 kB
MemFree:         1572864 kB
MemAvailable:    1835008 kB
Buffers:               0 kB
Cached:           262144 kB
SwapTotal:             0 kB
SwapFree:              0 kB
Shmem:                 0 kB
SReclaimable:          0 kB
"""
_HOSTS: Final = f"127.0.0.1\tlocalhost {HOSTNAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_RESOLV: Final = "nameserver 127.0.0.11\n"
_PROC: Final[Mapping[str, str | Dir | Symlink]] = {
    "/": Dir(mode=0o555),
    "/cpuinfo": _CPUINFO,
    "/filesystems": "nodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\nnodev\toverlay\n",
    "/loadavg": "0.00 0.00 0.00 1/1 1\n",
    "/meminfo": _MEMINFO,
    "/mounts": Symlink("self/mounts"),
    "/self": Dir(mode=0o555),
    "/self/cgroup": "0::/\n",
    "/self/fd": Dir(mode=0o500),
    "/self/mounts": _MOUNTS,
    "/sys/kernel/hostname": f"{HOSTNAME}\n",
    "/sys/kernel/osrelease": f"{RELEASE}\n",
    "/sys/kernel/ostype": "Linux\n",
    "/uptime": "0.00 0.00\n",
    "/version": f"Linux version {RELEASE} #1 SMP\n",
}


def kernel_files() -> tuple[Attachment, ...]:
    """/proc, /sys, /etc/hosts and /etc/resolv.conf, which nothing can change."""
    proc, files = _trees()
    return (
        Attachment("/proc", proc, read_only=True),
        Attachment("/sys", files, "/sys", read_only=True),
        Attachment("/etc/hosts", files, "/hosts", read_only=True),
        Attachment("/etc/resolv.conf", files, "/resolv.conf", read_only=True),
    )


@cache
def _trees() -> tuple[Layer, Layer]:
    files = layer({"/sys": Dir(mode=0o555), "/hosts": _HOSTS, "/resolv.conf": _RESOLV})
    return layer(_PROC).freeze(), files.freeze()
