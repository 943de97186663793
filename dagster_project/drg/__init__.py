"""A page in words about one hospital's or one DRG's Medicare payments, written from the published marts.

Belongs here: asking the publication, templates, Markdown and HTML. Does not: any figure that no mart holds, drawing
(ml/opportunity/plots), the command line.

The same publication gives the same page to the byte: nothing in it is asked of a model of language or of a clock.
"""


class PageProblem(Exception):
    """There is nothing to write about. The message says why; `is_not_yet` where nothing is published at all."""

    def __init__(self, message: str, is_not_yet: bool = False) -> None:
        super().__init__(message)
        self.is_not_yet = is_not_yet
