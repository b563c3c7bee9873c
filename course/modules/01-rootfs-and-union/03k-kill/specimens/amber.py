"""Walks down the path in every layer and remembers where a walk was cut."""


def resolve(path, layers):
    parts = path.split("/")
    answer = None
    for number, names in enumerate(layers):
        for depth in range(len(parts)):
            prefix = "".join(part + "/" for part in parts[:depth])
            if prefix + ".wh." + parts[depth] in names:
                answer = None
            if prefix and prefix[:-1] in names:
                answer = None
        if path in names or path + "/" in names:
            answer = number
    return answer
