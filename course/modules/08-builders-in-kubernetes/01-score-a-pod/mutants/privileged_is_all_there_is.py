def score(pod):
    containers = pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
    if any((container.get("securityContext") or {}).get("privileged") for container in containers):
        return ["privileged"]
    return []
