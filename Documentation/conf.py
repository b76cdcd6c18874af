# SPDX-License-Identifier: GPL-2.0
# For Sphinx: make docs

project = "viommu"
author = "the viommu maintainers"
copyright = "2026, " + author

master_doc = "index"
# also a part of benchmarks.rst, user-guide.rst, conformance.rst
exclude_patterns = ["benchmarks/results.rst", "benchmarks/dma-modes.rst", "conformance/mistakes.rst", "ABI"]
highlight_language = "none"
html_theme = "alabaster"
html_show_sphinx = False
