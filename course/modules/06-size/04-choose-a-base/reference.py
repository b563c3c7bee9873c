def answer(question):
    return {name: list(service.best) for name, service in question.given["services"].items()}
