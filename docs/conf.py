"""How the documentation is built: `python -m sphinx -W docs OUT`."""

import sys
from pathlib import Path

from tailrace import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Tailrace"
author = "Tailrace contributors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Tailrace"
html_copy_source = False

myst_enable_extensions = ["deflist"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3

default_role = "code"  # docstrings write `names` with single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
