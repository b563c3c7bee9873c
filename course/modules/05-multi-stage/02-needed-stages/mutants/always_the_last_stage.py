"""Builds the image of the last stage, whatever was asked for."""


def needed(stages, target):
    names = [stage["name"] for stage in stages]
    waiting = [len(stages) - 1]
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
                waiting.append(int(name))
    return sorted(found)
