"""An evaluation as one HTML page that needs nothing beside it: no script, no font, no address is fetched."""

from __future__ import annotations

from deepscan.evaluation.plots import all_plots, letter
from deepscan.evaluation.result import Evaluation

TEMPLATE = "evaluation.html.j2"


def render(found: Evaluation) -> str:
    """The page. Names from the data set are escaped, as everything is that the template is given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("deepscan.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["number"] = lambda value: "–" if value is None else f"{value:.3f}"
    templates.filters["share"] = lambda value: "–" if value is None else f"{value:.1%}"
    templates.filters["shares"] = lambda pair: "–" if pair is None else f"{pair[0]:.1%} to {pair[1]:.1%}"
    templates.filters["interval"] = lambda pair: "–" if pair is None else f"{pair[0]:.3f} to {pair[1]:.3f}"
    packs = [(letter(index), pack) for index, pack in enumerate(found.packs)]
    return templates.get_template(TEMPLATE).render(e=found, packs=packs, plots=all_plots(found))
