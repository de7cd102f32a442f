"""Hooks of MkDocs: the documents at the top become pages, and every reason gets an anchor."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
DOCUMENTS = {
    "README.md": "overview.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
STYLE = "stylesheets/awaken.css"
WHOLE_WORDS = ".md-typeset td code { word-break: normal; overflow-wrap: normal; }\n"
"""On a narrow screen a table scrolls; names in its cells stay whole."""
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
OUTSIDE = re.compile(
    r"\[([^\]]+)\]\((?:\.\./)*(?:benchmarks|examples|awaken|fixtures|tests|action)/[^)]*\)"
)
NAMED = re.compile(r"^(`{3,}\w+)[ \t]+([\w./-]+)[ \t]*$", re.MULTILINE)
REASON = re.compile(r"^\| `([a-z][a-z0-9-]*)` \|", re.MULTILINE)


def on_config(config):
    """List the pages of each folder that the navigation names as ``FOLDER/``."""
    _listed(config.nav, Path(config.docs_dir))
    return config


def _listed(entries, docs):
    for entry in entries:
        for title, target in entry.items():
            if isinstance(target, list):
                _listed(target, docs)
            elif target.endswith("/"):
                pages = sorted(
                    (docs / target).glob("*.md"),
                    key=lambda page: (page.name != "README.md", page.name),
                )
                first = [] if (docs / target / "README.md").exists() else [f"{target[:-1]}.md"]
                entry[title] = [*first, *(f"{target}{page.name}" for page in pages)]


def on_files(files, config):
    """Add the documents at the top of the repository as pages."""
    for document, page in DOCUMENTS.items():
        text = (ROOT / document).read_text("utf-8")
        files.append(File.generated(config, page, content=LINK.sub(_from_top, text)))
    files.append(File.generated(config, STYLE, content=WHOLE_WORDS))
    return files


def on_page_markdown(markdown, page, config, files):
    """Lead links to documents at the top to their pages; let ``RULE.html#CODE`` name a reason."""
    del config, files
    depth = page.file.src_uri.count("/")
    for document, target in DOCUMENTS.items():
        markdown = markdown.replace(
            f"]({'../' * (depth + 1)}{document}", f"]({'../' * depth}{target}"
        )
    # What is no page has no address: the repository is on no host yet.
    markdown = OUTSIDE.sub(r"\1", markdown)
    markdown = NAMED.sub(r'\1 title="\2"', markdown)
    # Pygments takes a line of a console without a prompt for output, and writes it in grey.
    markdown = markdown.replace("```console\n", "```bash\n")
    if page.file.src_uri.startswith("rules/"):
        markdown = REASON.sub(r'| <a id="\1"></a>`\1` |', markdown)
    return markdown


def _from_top(link):
    path, anchor = link[1], link[2] or ""
    path = DOCUMENTS.get(path, path.removeprefix("docs/"))
    return f"]({path}{anchor})"
