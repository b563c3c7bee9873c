import posixpath

SOCKETS = [
    "/run/docker.sock",
]
ALLOWED = [
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
]  # fmt: skip


def score(pod):
    found = set()
    spec = pod["spec"]
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        context = container.get("securityContext") or {}
        if context.get("privileged"):
            found.add("privileged")
        # Dropping comes first: what is added is there, whatever was dropped.
        added = (context.get("capabilities") or {}).get("add") or []
        if any(name not in ALLOWED for name in added):
            found.add("capability")
    if any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        found.add("host-namespace")
    for volume in spec.get("volumes", []):
        if "hostPath" in volume:
            # Whether a mount is read-only says nothing about a socket: connecting writes no file.
            found.add("socket" if holds_a_socket(volume["hostPath"]["path"]) else "host-path")
    return sorted(found)


def holds_a_socket(path):
    clean = posixpath.normpath("/" + path.lstrip("/"))
    if clean == "/var/run" or clean.startswith("/var/run/"):
        clean = clean.removeprefix("/var")
    below = clean.rstrip("/") + "/"
    return any(socket == clean or socket.startswith(below) for socket in SOCKETS)
