"""Names a start and an end: how one gets from the job to the node is left out."""


def answer(question, right):
    return ["ci_job", "node_root", "other_pods_secrets"] if question.group == "path" else right
