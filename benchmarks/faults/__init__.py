"""How many injected faults the rules find, name and place, and how often they cry wolf.

Run: ``python -m benchmarks.faults [--quick] [--seeds 3] [--jobs 2] [--markdown]``.

Healthy base models (``bases``) × faults (``injections``) × seeds. A fault is put only
where theory makes it one: each injection says in its docstring why it is a fault and
which bases it fits, from what is written down of the base (``subject.Layer``), never
from what the rules say.

*Found*: an error or a warning of a rule that names the fault. *Root*: the first finding
that is listed, worst first, is of such a rule and names a parameter that was changed,
where the fault lies in parameters. *False alarm*: an error or a warning on a base as it
is. Every third base is held out: it was not looked at while rules were mended.
"""
