"""How Sphinx builds the pages: `make docs`."""

project = "neurosim"
author = copyright = "neurosim developers"
extensions = ["myst_parser"]
root_doc = "contents"
exclude_patterns = ["gallery/*"]
myst_heading_anchors = 4  # [text](page.md#a-heading) leads to the heading, as it does on GitHub
html_theme = "furo"
html_title = "neurosim"
html_static_path = ["_static"]
html_css_files = ["neurosim.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
pygments_style, pygments_dark_style = "friendly", "github-dark"
