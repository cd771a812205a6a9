"""The admin site of BrainOps."""

from unfold.sites import UnfoldAdminSite


class BrainOpsSite(UnfoldAdminSite):
    """Django admin in unfold's clothes, for staff."""

    site_title = "BrainOps"
    site_header = "BrainOps"
    index_title = "Overview"
