"""Pages of the site itself."""

from typing import Final

from tests.browser.cases import Case, NoPage, at

CASES: Final[dict[str, Case | NoPage]] = {
    "page-front": Case(at("page-front")),
    "page-docs": Case(at("page-docs")),
    "a search in the documents": Case(lambda scene: "/docs?q=erasure"),
    # The longest document, with tables, code and pictures.
    "page-doc": Case(lambda scene: "/docs/model", budget_bytes=200_000),
    "page-doc-file": NoPage("a picture"),
    "page-privacy": Case(at("page-privacy")),
    "page-plain": Case(at("page-plain")),
    "page-offline": Case(at("page-offline")),
    "page-language": NoPage("a redirect"),
    "page-authority": NoPage("a certificate"),
    "page-manifest": NoPage("a web app manifest"),
    "page-service-worker": NoPage("a script"),
    # Their names do not begin with `page-`, but people read them too.
    "problem-kind": Case(lambda scene: "/problems/not-found"),
    "no such page": Case(lambda scene: "/nowhere", status=404),
}
