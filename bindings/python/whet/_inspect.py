# SPDX-License-Identifier: Apache-2.0
"""What a model is and costs; which kernels there are."""
from . import _core


def inspect(source, **options):
    """A dict of what a model holds and what a session of it costs; `source` is a path, bytes, a Model, Program or Session.

    `operators` counts the file's operators, `steps` says for each step of the plan which kernel does it, `reference` which
    operators fall to reference code.
    """
    from . import Model, Program, Session, load
    if isinstance(source, Session):
        session = source
    elif isinstance(source, Program):
        session = Session(source)
    elif isinstance(source, Model):
        session = Session(Program(source, **options))
    else:
        session = load(source, **options)
    model = session.program.model
    operators = {}
    graphs = model.graphs()
    for g, (_, nodes) in enumerate(graphs):
        for i in range(nodes):
            kind = model.node(g, i)[0]
            operators[kind] = operators.get(kind, 0) + 1
    steps = [dict(zip(("node", "name", "op", "kernel"), s)) for s in session.steps()]
    return {"format": model.format, "inputs": model.inputs, "outputs": model.outputs, "meta": model.meta,
            "signatures": [s[0] for s in model.signatures], "operators": operators, "steps": steps,
            "reference": sorted({s["op"] for s in steps if s["kernel"] == "reference"}),
            "cost": session.program.cost()}


def kernels(level=None):
    """The kernels of this build: dicts of family, name, exact (the same bytes on every CPU) and usable (by this CPU)."""
    return [dict(zip(("family", "name", "exact", "usable"), k)) for k in _core.kernels(level)]
