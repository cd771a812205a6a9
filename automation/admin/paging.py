"""Pages of a list that nobody counts: a COUNT over a million rows costs more than the page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator

MOST_PAGES = 200  # deeper ones cost more than a filter; the page says so


class InfinitePaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Reads one row more than it shows, to know whether there is a next page.

    The name is the one by which unfold's header knows not to print a number of results.
    """

    template_name = "automation/paging.html"
    has_more = False

    @property
    def count(self) -> int:  # type: ignore[override]  # Django's is a cached property
        """Not the number of rows: the most that can be reached."""
        return MOST_PAGES * self.per_page

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]  # not subscriptable at run time
        """The rows of a page; an empty one is fine. Raises InvalidPage for a number that is none."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        self.has_more = len(rows) > self.per_page and number < MOST_PAGES
        self.is_deepest = len(rows) > self.per_page and number == MOST_PAGES
        return Page(rows[: self.per_page], number, self)
