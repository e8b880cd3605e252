"""Sphinx configuration of the documentation site; `make docs` builds it into docs/_build/html."""

from __future__ import annotations

import logging
import os
import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

# Importing Airflow writes a configuration file. Keep it out of the user's home.
os.environ["AIRFLOW_HOME"] = str(Path(__file__).parent / "_build" / "airflow")
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
logging.getLogger("airflow").setLevel(logging.WARNING)
sys.path.append(str(Path(__file__).parent / "_ext"))

project = "airflow-provider-cloudtasks"
author = "The airflow-provider-cloudtasks contributors"
copyright = "Apache License 2.0"  # noqa: A001 - the name that Sphinx reads
release = version = installed_version(project)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "from_the_package",
]
exclude_patterns = ["_build"]
# Dashes only: values in tables are to be copied as they are, such as JSON.
smartquotes_action = "D"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Result"]
# Airflow's exceptions are raised by their own names.
python_use_unqualified_type_names = True

# The build needs no network, so links into the documentation of Python and of Airflow cannot be resolved.
_PUBLIC = (
    r"(sensors|operators)\.(cloud_task|alibaba|tencent)\.|hooks\.(alibaba|tencent)\.|triggers\.cloud_task\."
    r"|(spec|emulator)\.[A-Z]|(catalog|errors|model)\."
)
nitpick_ignore_regex = [
    # Modules and classes that have no page of their own, as the base classes of public ones.
    (r"py:.*", rf"airflow_cloudtasks\.(?!{_PUBLIC}).*|.*\._\w+"),
    # Other packages, the standard library and builtins.
    (r"py:.*", r"(airflow|jinja2|collections|datetime|enum|typing)\..*"),
    (
        r"py:.*",
        r"Airflow\w+|Base(Hook|Operator|SensorOperator|Trigger)|Context|Environment|PokeReturnValue|SharedStreamProducer|TriggerEvent",
    ),
    (
        r"py:.*",
        r"Any|AsyncIterator|Callable|Collection|Iterator|Mapping|Self|Sequence|datetime|timedelta|[A-Z]\w+Error",
    ),
    # Names of type aliases; the argument's text says what it takes.
    (r"py:.*", r"AlreadyEnded|Cloud|JsonObject|LimitName|Missing|On(Failure|Unknown)|SqlKind|StsChanges|WaitFor"),
    # The emulator's package loads its class late, so it is documented under the module that defines it.
    (r"py:class", r"Emulator"),
]

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["search_tables.js"]
# Neither "View page source" nor a copy of the sources.
html_show_sourcelink = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Let docstrings have colons in their sentences."""
    app.connect("autodoc-process-docstring", _keep_sentences, priority=400)


def _keep_sentences(_app: Sphinx, kind: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    if kind == "class":
        # What an operator returns to Airflow; autodoc would add the return type of __init__ to it.
        lines[:] = ["Result:" if line == "Returns:" else line for line in lines]
    # Napoleon reads the words before a colon as a type, in a property's first line and in that of Returns. The types
    # come from the annotations, so an empty comment takes the place of that line.
    numbers = [number for number, line in enumerate(lines, 1) if line.strip() in ("Returns:", "Yields:")]
    for number in reversed([0] * (kind in ("attribute", "data", "property")) + numbers):
        indent = re.match(" *", lines[number])[0] if number < len(lines) else ""
        lines[number:number] = [indent + "..", ""]
