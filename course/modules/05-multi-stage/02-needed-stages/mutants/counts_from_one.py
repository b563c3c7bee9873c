"""Counts stages from 1."""


def needed(stages, target):
    names = [stage["name"] for stage in stages]
    waiting = [len(stages) - 1 if target is None else names.index(target)]
    found = set()
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.add(number)
        stage = stages[number]
        if stage["base"] in names[:number]:
            waiting.append(names.index(stage["base"]))
        for name in stage["copies"] + stage["mounts"]:
            if name in names[:number]:
                waiting.append(names.index(name))
            elif name.isdigit():
                waiting.append(max(0, int(name) - 1))
    return sorted(found)
