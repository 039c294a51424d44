"""How Sphinx builds the pages: `make docs`."""

project = "neurosim"
extensions = ["myst_parser"]
root_doc = "contents"
myst_heading_anchors = 4  # [text](page.md#a-heading) leads to the heading, as it does on GitHub
html_title = "neurosim"
html_theme_options = {"fixed_sidebar": True}
