def answer(question):
    machine = question.given["machine"]
    return {program: sorted(machine.closure(program)) for program in machine.programs}
