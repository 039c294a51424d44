"""How Sphinx builds the pages: `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import gallery  # noqa: E402

project = "neurosim"
author = copyright = "neurosim developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_gallery.gen_gallery", "reference"]
root_doc = "contents"
exclude_patterns = ["gallery/*"]
myst_heading_anchors = 4  # [text](page.md#a-heading) leads to the heading, as it does on GitHub
default_role = "code"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in the list, not each as an object
napoleon_use_rtype = False

gallery.write_copies(HERE.parent / "build" / "examples")
sphinx_gallery_conf = {
    "examples_dirs": "../build/examples",
    "gallery_dirs": "examples",
    "filename_pattern": rf"[\\/]({'|'.join(gallery.TABLE['built'])})\.py$",
    "reset_argv": "gallery.arguments",
    "subsection_order": gallery.order(),
    "within_subsection_order": "gallery.ByTable",
    "image_scrapers": ("matplotlib",),
    "thumbnail_size": (400, 280),
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 10_000,
}

html_theme = "furo"
html_title = "neurosim"
html_static_path = ["_static"]
html_css_files = ["neurosim.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
pygments_style, pygments_dark_style = "friendly", "github-dark"
