"""Write the pages made from the records: rules, schemes, policies, activations.

python tools/generate_docs.py          write them
python tools/generate_docs.py --check  fail if one is not up to date
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

from fanin.activations import ACTIVATIONS
from fanin.prescription.policies import POLICIES, find_policy
from fanin.report.findings.rule_page import rule_page, summary
from fanin.report.svg import standalone
from fanin.report.theory import figures
from fanin.report.theory.phase_figure import phase_figure
from fanin.rules import RULES
from fanin.schemes import SCHEMES
from fanin.theory import portrait

DOCS = Path(__file__).parent.parent / "docs"
MADE = "<!-- Made by tools/generate_docs.py from the records: edit those. -->\n\n"

POLICIES_ARE = (
    'Ways to decide a whole model at once, as `fanin.init(model, batch, policy="…")` '
    "knows them. A policy decides by role, which is read off the graph and never off "
    "a parameter's name; what it leaves out is decided as under `auto`; frozen "
    "parameters keep their values. The name of a scheme (`he_normal`) is a policy too: "
    "that scheme for every weight."
)


def pages() -> dict[Path, str]:
    """Give every generated page, by its path."""
    found = {
        DOCS / "rules" / f"{rule.code}.md": MADE + rule_page(rule.code)
        for rule in RULES.values()
    }
    found[DOCS / "rules" / "index.md"] = MADE + rules_page()
    found[DOCS / "schemes.md"] = MADE + schemes_page()
    found[DOCS / "policies.md"] = MADE + policies_page()
    found[DOCS / "activations.md"] = MADE + activations_page()
    for name, svg in theory_figures().items():
        found[DOCS / "figures" / f"theory-{name}.svg"] = standalone(svg) + "\n"
    return found


def theory_figures() -> dict[str, str]:
    """Give the figures of docs/theory.md."""
    gelu = portrait("gelu", sigma_w=1.5, sigma_b=0.1)
    tanh = portrait("tanh", sigma_w=2.5, sigma_b=0.3)
    return {
        "moments": figures.moment_map(gelu),
        "correlations": figures.correlations(tanh),
        "phases": phase_figure(portrait("tanh", sigma_w=1.3, sigma_b=0.3)),
    }


def rules_page() -> str:
    """Give the list of rules, by family."""
    lines = ["# Rules", "", "What `fanin check` looks for. A code is never reused.", ""]
    family = ""
    for rule in sorted(RULES.values(), key=lambda each: each.code):
        if rule.family != family:
            family = rule.family
            lines += ["", f"## {rule.code[:4]}: {family}", ""]
            lines += ["| code | name | worst | what it finds |", "|---|---|---|---|"]
        link = f"[{rule.code}]({rule.code}.md)"
        lines.append(f"| {link} | {rule.name} | {rule.severity} | {summary(rule)} |")
    return "\n".join(lines) + "\n"


def policies_page() -> str:
    """Give each policy: what it sets by role, when to use it, its source."""
    found = [find_policy(name) for name in POLICIES]
    lines = [
        "# Policies",
        "",
        POLICIES_ARE,
        "",
        "| policy | what it does |",
        "|---|---|",
        *(
            f"| [{policy.name}](#{policy.name}) | {policy.summary} |"
            for policy in found
        ),
        "",
    ]
    for policy in found:
        lines += [f"## {policy.name}", "", page_of(policy.name), ""]
        if policy.options:
            options = ", ".join(f"{k}={v}" for k, v in policy.options.items())
            lines += [f"- **Options**: `{policy.name}({options})`"]
        lines += [f"- **Source**: {policy.source}", ""]
    return "\n".join(lines)


def page_of(policy: str) -> str:
    """Give the docstring of a policy's module."""
    module = importlib.import_module(f"fanin.prescription.policies.{policy}")
    return inspect.cleandoc(module.__doc__ or "")


def schemes_page() -> str:
    """Give each scheme: formula, what it keeps, assumptions, source."""
    lines = ["# Schemes", "", "Ways to draw a weight, as `find_scheme` knows them.", ""]
    for scheme in SCHEMES.values():
        also = f" (also {', '.join(scheme.aliases)})" if scheme.aliases else ""
        lines += [
            f"## {scheme.name}{also}",
            "",
            f"- **Formula**: {scheme.formula}",
            f"- **Law**: {scheme.law.replace('_', ' ')}",
            f"- **Keeps**: {scheme.keeps}",
            f"- **Assumes**: {'; '.join(scheme.assumes) or 'nothing'}",
            *(f"- **Source**: {source}" for source in scheme.sources),
            "",
        ]
    return "\n".join(lines)


def activations_page() -> str:
    """Give the Gaussian moments and gains of each activation."""
    lines = [
        "# Activations",
        "",
        "Moments under z ~ N(0, 1), by quadrature from the function's values. The",
        "forward gain is 1/√E[φ²], the backward gain 1/√E[φ′²].",
        "",
        "| activation | E[φ] | E[φ²] | E[φ′²] | forward gain | backward gain |",
        "|---|---|---|---|---|---|",
    ]
    for activation in ACTIVATIONS.values():
        found = activation.moments()
        numbers = (
            found.mean,
            found.second_moment,
            found.derivative_second_moment,
            activation.forward_gain,
            activation.backward_gain,
        )
        cells = " | ".join(f"{round(number, 8) + 0.0:.8f}" for number in numbers)
        lines.append(f"| {activation.name} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check; 1 if a page is not up to date."""
    is_check = "--check" in sys.argv[1:]
    made = pages()
    known = {path for path in (DOCS / "rules").glob("*.md") if path not in made}
    stale = [
        path
        for path, text in made.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if is_check:
        for path in (*stale, *known):
            print(f"not up to date: {path.relative_to(DOCS.parent)}")
        return 1 if stale or known else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
